/** W9, its milder half: one key of a login is damaged. The session goes on without it, and peers agree anew. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openSessionsHub, type SessionsHub, textsOf } from "../support/sessions-hub.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();

const FLIPPED = "CAST(substr(v, 1, 40) || x'00ff' || substr(v, 43) AS BLOB)";
const CUT_SHORT = "substr(v, 1, 20)";

async function aTalk() {
  const emulator = bed.emulator();
  const { number: account, groups } = emulator.createAccount({
    preset: "small",
    size: { messages: 0, groups: 1 },
  });
  const hub = await openSessionsHub(emulator, {
    timing: { sweepMs: 100, missingAfterMs: 500 },
  });
  await hub.linked("s1", account);
  const group = groups[0]?.id ?? "";
  const from = emulator.contacts(account)[0]?.number ?? "";

  const hear = async (text: string, where: { group?: string } = {}): Promise<string> => {
    const { id } = emulator.receive({ account, from, kind: "text", text, ...where });
    await until(`"${text}" to arrive`, async () => (await textsOf(hub)).includes(text));
    return id;
  };
  const say = async (text: string): Promise<void> => {
    const link = hub.sessions.link("s1");
    const messageId = link.newMessageId();
    const chatId = `${from}@s.whatsapp.net`;
    await link.send({ chatId, messageId, content: { kind: "text", text, mentions: [] }, quoted: null });
    await until(`"${text}" to be read`, () => emulator.sent({ id: messageId })[0]?.text === text);
  };
  return {
    hub,
    emulator,
    account,
    from,
    hear,
    say,
    talk: async (round: string): Promise<void> => {
      await hear(`${round}: to you`);
      await say(`${round}: to her`);
      await hear(`${round}: to the group`, { group });
    },
  };
}

const damage =
  (table: string, value: string, kind: string | null = null) =>
  (folder: string): void => {
    const db = new Database(join(folder, "hub.db"));
    const { changes } =
      kind === null
        ? db.prepare(`UPDATE ${table} SET v = ${value}`).run()
        : db.prepare(`UPDATE ${table} SET v = ${value} WHERE type = ?`).run(kind);
    db.close();
    expect(changes).toBeGreaterThan(0);
  };

const notes = async ({ store }: SessionsHub): Promise<string[]> => {
  const page = await store.sessions.timeline("s1", { limit: 100, page: 1 });
  return page.items.filter(({ type }) => type === "key_unreadable").map(({ text }) => text);
};

describe("W9: damaged keys", () => {
  test.each([
    ["of peers", "session", FLIPPED],
    ["of peers, cut short,", "session", CUT_SHORT],
    ["of groups", "sender-key", FLIPPED],
    ["of addresses", "lid-mapping", FLIPPED],
    ["of devices", "device-list", FLIPPED],
    ["of every kind at once", null, FLIPPED],
  ])("%s are made anew: the talk goes on both ways, without a new code", async (_which, kind, value) => {
    const { hub, emulator, account, talk } = await aTalk();
    await talk("before");
    await hub.startAgain(damage("auth_key", value, kind));
    await hub.reaches("s1", "connected");
    await talk("after");
    await talk("later");
    await until("nothing owed", () => emulator.ledgerSummary(account).unacked === 0);
    expect(await hub.sessions.get("s1")).toMatchObject({ state: "connected", lostAt: null, reason: null });
    expect(emulator.account(account).devices).toHaveLength(1);
    expect(new Set(await textsOf(hub)).size).toBe((await textsOf(hub)).length);
    await until("nothing left open", async () => (await hub.store.intake.open("s1")).length === 0);
    const told = await notes(hub);
    expect(told.length).toBeGreaterThan(0);
    expect(told).toHaveLength(new Set(told).size);
    if (kind !== null) expect(told.join()).toContain(`(${kind})`);
    expect(told.join()).not.toMatch(/\d{4}/);
  });
});

test("W9: what was kept of a message is damaged: a redelivery ends no connection and doubles nothing", async () => {
  const { hub, emulator, account, from, hear } = await aTalk();
  emulator.fault({ kind: "lose-receipt", account });
  await hear("its receipt gets lost");
  await hub.startAgain(damage("intake_plain", FLIPPED));
  await hub.reaches("s1", "connected");
  await until("nothing owed", () => emulator.ledgerSummary(account).unacked === 0);
  emulator.receive({ account, from, kind: "text", text: "the next" });
  await until("the next", async () => (await textsOf(hub)).includes("the next"));
  expect(await hub.sessions.get("s1")).toMatchObject({ state: "connected", lostAt: null });
  expect((await textsOf(hub)).filter((text) => text.startsWith("its receipt"))).toHaveLength(1);
});
