/** A process killed at random moments while it stores: nothing half, nothing lost, nothing twice. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import type { Delivery } from "../../hub/core/delivery.ts";
import type { Page, PageRequest } from "../../hub/core/page.ts";
import type { Store } from "../../hub/core/store.ts";
import { systemClock } from "../../hub/core/clock.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { parseEvent } from "./store/world.ts";

const KILLS = 6;
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

const dataDir = mkdtempSync(join(tmpdir(), "hub-kills-"));
afterAll(() => {
  rmSync(dataDir, { recursive: true });
});

/** Runs the storing process and kills it `ms` after its first message; the ids it had answered. */
async function killedAfter(round: number, ms: number): Promise<string[]> {
  const script = join(import.meta.dirname, "recording-hub.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, dataDir, String(round)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const answered: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => answered.push(line));
  await once(lines, "line");
  await wait(ms);
  child.kill("SIGKILL");
  await Promise.all([once(child, "exit"), once(lines, "close")]);
  return answered;
}

async function all<T>(page: (request: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | undefined; ;) {
    const got = await page({ limit: 1000, page: 1, cursor });
    items.push(...got.items);
    if (got.nextCursor === null) {
      expect(got.total).toBe(items.length);
      return items;
    }
    cursor = got.nextCursor;
  }
}

/** A message of each event, by id; each exactly once. */
async function toldMessages(store: Store): Promise<Map<string, number>> {
  const told = new Map<string, number>();
  let after = 0;
  for (;;) {
    const rows = await store.events.after({ after, limit: 1000, sessions: "*" });
    for (const { seq, body } of rows) {
      expect(seq).toBe(after + 1);
      after = seq;
      const { message } = parseEvent(body).data as { message: { id: string } };
      expect(told.has(message.id)).toBe(false);
      told.set(message.id, seq);
    }
    if (rows.length === 0) return told;
  }
}

/** In each lane the delivered ones come before all that wait. */
function expectInOrder(deliveries: Delivery[]): void {
  const waiting = new Set<string>();
  for (const { endpointId, lane, state } of deliveries) {
    const key = `${endpointId} ${lane}`;
    if (state === "pending") waiting.add(key);
    else expect(waiting.has(key)).toBe(false);
  }
}

test(`after ${KILLS} kills every stored message is whole, and every answered one is stored`, async () => {
  const seed = Math.floor(Math.random() * 1_000_000);
  console.log(`kill test: seed ${seed}`);
  const answered: string[] = [];
  for (let round = 0; round < KILLS; round++) {
    answered.push(...(await killedAfter(round, (seed * (round + 1) * 7919) % 400)));
    const openedAt = performance.now();
    const store = await openStore({ dataDir, publicUrl: "https://hub.example", clock: systemClock, log });
    expect(performance.now() - openedAt).toBeLessThan(5000);

    const messages = await all((request) =>
      store.inbox.messages({ sessionId: "s1", order: "asc", ...request }),
    );
    const ids = new Set(messages.map(({ id }) => id));
    expect(answered.filter((id) => !ids.has(id))).toEqual([]);
    expect(ids.size).toBe(messages.length);

    const told = await toldMessages(store);
    expect(new Set(told.keys())).toEqual(ids);
    const deliveries = await all((request) => store.outbox.list({ endpoints: "*", ...request }));
    for (const endpointId of ["ep_all", "ep_messages"]) {
      const owed = deliveries.filter((delivery) => delivery.endpointId === endpointId);
      expect(owed.map(({ seq }) => seq)).toEqual([...told.values()].sort((a, b) => a - b));
    }
    expectInOrder(deliveries);
    // A stanza is open exactly while its message is not stored.
    for (const { stanzaId } of await store.intake.open("s1")) expect(ids.has(stanzaId)).toBe(false);
    const { total } = await store.inbox.stats("s1", { dayStart: 0 });
    expect(total).toBe(ids.size);
    await store.close();
  }
  console.log(`kill test: ${answered.length} messages answered`);
}, 180_000);
