/** However much there is to bring, the bridge holds a page or two of it. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { HubClient } from "../../bridge/hub-client.ts";
import { aHubContact, personId } from "../support/hub-records.ts";
import { syncWorld } from "../support/sync-rig.ts";

const MANY = 20_000;
const LOOK_EVERY = 2_000;
const MB = 1024 * 1024;

test("a sync of 20,000 contacts keeps the heap flat", async () => {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("no garbage collector to call");
  const world = syncWorld({ limits: { contacts: MANY } });
  world.hub.store.addSession();
  const hub: HubClient = {
    ...world.hub,
    contacts: (_sessionId, { limit, cursor }) => {
      const start = Number(cursor ?? 0);
      const items = Array.from({ length: Math.min(limit, MANY - start) }, (_, n) =>
        aHubContact({ id: personId(start + n) }),
      );
      const end = start + items.length;
      return Promise.resolve({
        items,
        total: MANY,
        nextCursor: end < MANY ? String(end) : null,
        position: 1,
      });
    },
  };
  let written = 0;
  const heap: number[] = [];
  const crm = {
    ...world.adapter,
    upsertContacts: ({ items }: { items: unknown[] }) => {
      written += items.length;
      if (written % LOOK_EVERY === 0) {
        Reflect.apply(collect, undefined, []);
        heap.push(process.memoryUsage().heapUsed / MB);
      }
      return Promise.resolve(items.map(() => ({ outcome: "created" as const })));
    },
  };
  const { queue } = world.begin({ hub, adapter: crm });
  await queue.start();
  await queue.request("s1", "manual");
  await queue.idle();
  expect(written).toBe(MANY);
  expect(queue.jobs()[0]).toMatchObject({ status: "completed", contacts: { created: MANY } });
  expect(heap.length).toBe(MANY / LOOK_EVERY);
  expect(Math.max(...heap) - Math.min(...heap)).toBeLessThan(8);
});
