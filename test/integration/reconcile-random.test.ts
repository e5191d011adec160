/** Hub and CRM over many hours in which either loses, refuses and gets messages: after each comparison the CRM has what the hub has. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import type { CrmAdapter, WriteResult } from "../../bridge/adapter.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";
import { fill, syncWorld } from "../support/sync-rig.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";

const CHATS = 3;
const HOURS = 60;
const REFUSED = "BAD";

/** Takes no message whose id begins so. */
const picky = (crm: CrmAdapter): CrmAdapter => ({
  ...crm,
  upsertMessages: async (batch) => {
    const isBad = ({ messageId }: { messageId: string }): boolean => messageId.startsWith(REFUSED);
    const taken = await crm.upsertMessages({ ...batch, items: batch.items.filter((item) => !isBad(item)) });
    return batch.items.map((item): WriteResult =>
      isBad(item)
        ? { outcome: "rejected", error: "no such type" }
        : (taken.shift() ?? { outcome: "unchanged" }),
    );
  },
});

test("whatever was lost within the hour is there after it, and quiet hours read nothing", async () => {
  const seed = String(Date.now());
  console.log(`seed ${seed}`);
  const random = createRandom(seed);
  const dir = await mkdtemp(join(tmpdir(), "reconcile-random-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, "crm.db");
  const crm = await openSqliteAdapter({ file, clock: fixedClock() });
  await crm.prepare();
  onTestFinished(() => crm.close());
  const world = syncWorld({ limits: { messagesPerChat: 1000 }, crm: picky(crm) });
  const { store } = world.hub;
  fill(world.hub, { contacts: CHATS, chats: CHATS, messages: 30 });
  const { queue, reconcile, apply } = world.begin();
  await queue.start();
  await queue.request("s1", "connected");
  await queue.idle();
  world.limits.messagesPerChat = 5;
  const db = new Database(file);
  onTestFinished(() => void db.close());

  const inHub = (chat: number): string[] =>
    (store.of("s1")?.messages.get(personId(chat)) ?? []).map(({ record }) => record.messageId);
  const inCrm = (): Set<string> =>
    new Set(db.prepare<[], string>("SELECT message_id FROM whatsapp_message").pluck().all());
  const lacking = (): string[] => {
    const held = inCrm();
    const all = Array.from({ length: CHATS }, (_, n) => inHub(n + 1)).flat();
    return all.filter((id) => !held.has(id) && !id.startsWith(REFUSED));
  };
  const hour = async (): Promise<number> => {
    world.hub.calls.length = 0;
    await reconcile.messages("s1");
    return world.hub.calls.filter(({ method }) => method === "messages").length;
  };
  let told = 0;
  const does = {
    comes: async (chatId: string): Promise<void> => {
      told += 1;
      const messageId = `${random.int(6) === 0 ? REFUSED : "NEW"}${told}`;
      await apply(world.hub.receives("s1", { chatId, messageId, timestamp: 1_760_000_000 + told }));
    },
    ages: (chatId: string, messageId: string): void => store.ageOut("s1", { chatId, messageId }),
    erased: (chatId: string, messageId: string): void => store.removeMessage("s1", { chatId, messageId }),
    lost: (messageId: string): void =>
      void db.prepare("DELETE FROM whatsapp_message WHERE message_id = ?").run(messageId),
  };

  await hour();
  for (let n = 0; n < HOURS; n += 1) {
    // What the CRM loses and what the hub loses stand in for each other where both happen unseen.
    const loser = random.pick(["crm", "hub", "nobody"]);
    for (let act = random.int(6); act > 0; act -= 1) {
      const chat = 1 + random.int(CHATS);
      const ids = inHub(chat);
      const what = random.int(3);
      if (what === 0 || ids.length < 2) await does.comes(personId(chat));
      else if (what === 1) does.ages(personId(chat), ids[0] ?? "");
      else if (loser === "crm") does.lost(random.pick(ids));
      else if (loser === "hub") does.erased(personId(chat), random.pick(ids));
    }
    await hour();
    expect(lacking(), `hour ${n}, seed ${seed}`).toEqual([]);
  }
  await hour();
  expect(await hour()).toBe(0);
});
