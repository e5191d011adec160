/** B8 with a hub: an event that the CRM will not have is parked after six tries, and keeps nobody waiting for ever; the operator has it told again. */
import { expect, test } from "vitest";
import { itemsOf } from "../support/answering-crm.ts";
import { aMessageFact } from "../support/builders.ts";
import { openKeepingCrm } from "../support/keeping-crm.ts";
import { until } from "../support/until.ts";
import { calm, openBridgeStand, person, SESSION, synced } from "./bridge-stand.ts";

const POISON = "a rocket";

interface Delivery {
  id: string;
  state: string;
  attempts: number;
  lastStatus: number | null;
  lastError: string | null;
}

test("B8: a poisoned event is refused six times and parked by the hub; the others of its session go on, and a replay after the cure brings it", async () => {
  const crm = await openKeepingCrm();
  const { hub, site } = await openBridgeStand(
    { BRIDGE_CRM: "http", CRM_URL: crm.server.url },
    { onlyByRetries: true },
  );
  await site.start();
  await synced(site);
  expect(await calm({ hub }, site)).toEqual([]);
  const isPoison = (item: Record<string, unknown>): boolean => item["content"] === POISON;
  crm.troubles((taken) =>
    itemsOf(taken).some(isPoison)
      ? { status: 422, body: { message: "Incorrect string value for column 'content'" } }
      : null,
  );
  const says = (chat: number, content: string): Promise<void> =>
    hub.tell(SESSION, [aMessageFact({ chatId: person(chat), content })]);
  const kept = (): string[] => crm.messages().map(({ content }) => content);
  const received = async (filter: string): Promise<Delivery[]> =>
    (
      await hub.client.get<{ deliveries: Delivery[] }>(
        `/api/deliveries?event=message.received&limit=100${filter}`,
      )
    ).deliveries;

  await says(1, "before it");
  await says(1, POISON);
  await says(1, "behind it");
  for (const chat of [2, 3]) for (const text of ["one", "two"]) await says(chat, `${text} of ${chat}`);

  // Other chats do not wait for it; what is behind it in its own may, until it is given up.
  const others = ["before it", "one of 2", "one of 3", "two of 2", "two of 3"];
  await until("the others", () => others.every((text) => kept().includes(text)));
  await until("the first refusal", async () => (await received("&state=retrying")).length === 1);

  expect(await calm({ hub }, site)).toEqual([]);
  const parked = await received("&state=dead");
  expect(parked).toMatchObject([{ attempts: 6, lastStatus: 422 }]);
  expect((await received("&state=delivered")).length).toBe(6);
  expect(kept().toSorted()).toEqual(["behind it", ...others].toSorted());
  const { items } = await site.crm.method<{ items: { kind: string; error: string }[] }>("sync.list_failed", {
    session_name: SESSION,
  });
  expect(items).toMatchObject([{ kind: "message", error: expect.stringContaining("column") as string }]);
  // The endpoint is well: what it gets next arrives at once, in the poisoned chat, too.
  await says(1, "after it");
  await until("the next one", () => kept().includes("after it"));

  crm.troubles();
  const replay = await hub.client.post<{ matched: number }>("/api/deliveries/replay", { state: "dead" });
  expect(replay.matched).toBe(1);
  await until("the cured one", () => kept().includes(POISON));
  expect(await calm({ hub }, site)).toEqual([]);
  expect(await received("&state=dead")).toEqual([]);
  expect(kept()).toHaveLength(8);
  const { items: left } = await site.crm.method<{ items: unknown[] }>("sync.list_failed", {
    session_name: SESSION,
  });
  expect(left).toEqual([]);
}, 120_000);
