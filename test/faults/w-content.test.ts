/** W11, W13 and W14: what is said changes its address in mid-conversation, comes in the wrong order, or is like nothing before. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Message } from "../../hub/core/message.ts";
import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import type { InboundMessage } from "../whatsapp/operations/messages.ts";
import { trustEmulator } from "../whatsapp/trust.ts";

let emulator: Emulator;
let rig: WhatsAppRig;
let account: string;
let people: string[];
let group: string;

beforeAll(async () => {
  emulator = await startEmulator();
  await trustEmulator(emulator);
  const created = emulator.createAccount({
    preset: "small",
    size: { messages: 0, contacts: 8, groups: 1, activeChats: 0 },
  });
  account = created.number;
  group = created.groups[0]?.id ?? "";
  rig = await openWhatsAppRig(emulator, { number: account });
  await rig.connect();
  await until("the history is stored", async () => (await rig.store().intake.open("s1")).length === 0);
  people = emulator.contacts(account).map(({ number }) => number);
});
afterAll(async () => {
  await rig.stop();
  await emulator.stop();
});

const phoneJid = (number: string): string => `${number}@s.whatsapp.net`;
const stored = (id: string): Promise<Message> =>
  until(`message ${id}`, () => rig.store().inbox.message("s1", id));
const now = async (id: string): Promise<Message> => {
  const message = await rig.store().inbox.message("s1", id);
  if (message === null) throw new Error(`no message ${id}`);
  return message;
};

interface Told {
  event: string;
  data: Record<string, unknown>;
}
/** All events about a message, in order. */
async function eventsAbout(id: string): Promise<Told[]> {
  const rows = await rig.store().events.after({ after: 0, limit: 1000, sessions: "*" });
  return rows.filter(({ body }) => body.includes(id)).map(({ body }) => JSON.parse(body) as Told);
}

async function nothingLeft(): Promise<void> {
  await until("nothing owed", () => emulator.ledgerSummary(account).unacked === 0);
  await until("nothing left open", async () => (await rig.store().intake.open("s1")).length === 0);
  expect(emulator.ledgerSummary(account)).toMatchObject({ nacked: 0, retries: 0 });
}

describe("W11: the address changes in mid-conversation", () => {
  test("by hidden id, by number, typed on the phone: one conversation, and nothing twice", async () => {
    const from = people[0] ?? "";
    const ids: string[] = [];
    for (let round = 0; round < 3; round++)
      for (const addressing of ["lid", "pn"] as const) {
        const text = `${round} ${addressing}`;
        ids.push(emulator.receive({ account, from, kind: "text", text, addressing }).id);
        ids.push(emulator.typeOnPhone({ account, to: from, kind: "text", text, addressing }).id);
      }
    for (const id of ids) expect(await stored(id)).toMatchObject({ chatId: phoneJid(from) });
    const page = await rig.store().inbox.messages({
      sessionId: "s1",
      chatId: phoneJid(from),
      order: "asc",
      page: 1,
      limit: 100,
    });
    expect(page.items.map(({ id }) => id)).toEqual(ids);
    const chats = await rig.store().inbox.chats({ sessionId: "s1", page: 1, limit: 100 });
    expect(chats.items.filter(({ chatId }) => chatId.endsWith("@lid"))).toEqual([]);
    for (const id of ids) expect(await eventsAbout(id)).toHaveLength(1);
    await nothingLeft();
  });

  test("the number behind a hidden id becomes known: the conversation goes under it, in its order", async () => {
    // A stranger, who shows no number at first.
    const from = "34600777001";
    const hidden = { sender_pn: "" };
    const first = emulator.receive({ account, from, kind: "text", text: "hidden 1", attributes: hidden });
    const second = emulator.receive({ account, from, kind: "text", text: "hidden 2", attributes: hidden });
    expect((await stored(second.id)).chatId).toMatch(/@lid$/);
    const third = emulator.receive({ account, from, kind: "text", text: "known 1" });
    const fourth = emulator.receive({ account, from, kind: "text", text: "known 2", addressing: "pn" });
    const fifth = emulator.receive({ account, from, kind: "text", text: "hidden 3", attributes: hidden });
    await stored(fifth.id);
    const ids = [first, second, third, fourth, fifth].map(({ id }) => id);
    for (const id of ids) expect(await now(id)).toMatchObject({ chatId: phoneJid(from) });
    const chats = await rig.store().inbox.chats({ sessionId: "s1", page: 1, limit: 100 });
    expect(chats.items.filter(({ chatId }) => chatId.endsWith("@lid"))).toEqual([]);
    for (const id of ids)
      expect((await eventsAbout(id)).filter(({ event }) => event === "message.received")).toHaveLength(1);
    await nothingLeft();
  });

  test("a phone that was set up anew goes on in the same conversation", async () => {
    const from = people[1] ?? "";
    const before = emulator.receive({ account, from, kind: "text", text: "old phone" });
    await stored(before.id);
    emulator.changeContact(account, from, { reinstalled: true });
    const after = emulator.receive({ account, from, kind: "text", text: "new phone" });
    expect((await stored(after.id)).chatId).toBe((await now(before.id)).chatId);
  });
});

describe("W13: a change comes before its message", () => {
  let early = 0;
  const target = (id: string) => ({ target: { id, fromMe: false } });

  test.each<[string, (id: string) => InboundMessage, Partial<Message>]>([
    [
      "an edit",
      (id) => ({ kind: "edit", text: "after", ...target(id) }),
      { content: "after", editedAt: expect.any(Number) as number },
    ],
    ["a revoke", (id) => ({ kind: "revoke", ...target(id) }), { status: "deleted" }],
    [
      "a reaction",
      (id) => ({ kind: "reaction", emoji: "👍", ...target(id) }),
      { reactions: [expect.objectContaining({ emoji: "👍" })] as Message["reactions"] },
    ],
  ])("%s waits for it, and is right in the end", async (_what, change, expected) => {
    for (const where of [{}, { group }]) {
      const from = people[2] ?? "";
      const id = `3AEARLY${++early}`;
      const changing = emulator.receive({ account, from, ...where, ...change(id) });
      // Worked off after the change, because it is of the same chat.
      const next = emulator.receive({ account, from, ...where, kind: "text", text: "in between" });
      await stored(next.id);
      expect(await rig.store().inbox.message("s1", id)).toBeNull();
      emulator.receive({ account, from, ...where, id, kind: "text", text: "before" });
      await until("the change", async () => {
        const message = await rig.store().inbox.message("s1", id);
        return message !== null && expectedBy(message, expected);
      });
      expect(await rig.store().inbox.message("s1", changing.id)).toBeNull();
      const [said] = (await eventsAbout(id)).filter(({ event }) => event === "message.received");
      expect(said).toBeDefined();
    }
    await nothingLeft();
  });

  test("a reaction, an edit and a revoke in that order leave a deleted message", async () => {
    const from = people[3] ?? "";
    const id = "3AEARLYALL";
    emulator.receive({ account, from, kind: "reaction", emoji: "👍", ...target(id) });
    emulator.receive({ account, from, kind: "edit", text: "after", ...target(id) });
    emulator.receive({ account, from, kind: "revoke", ...target(id) });
    const next = emulator.receive({ account, from, kind: "text", text: "in between" });
    await stored(next.id);
    emulator.receive({ account, from, id, kind: "text", text: "before" });
    await until("the end", async () => (await rig.store().inbox.message("s1", id))?.status === "deleted");
    await nothingLeft();
  });
});

function expectedBy(message: Message, expected: Partial<Message>): boolean {
  try {
    expect(message).toMatchObject(expected);
    return true;
  } catch {
    return false;
  }
}

describe("W14: messages like none before", () => {
  const MANY = 1000;
  const LONG = "ñ👋z".repeat(65_536 / 4);
  const raw = (message: Record<string, unknown>): InboundMessage => ({ kind: "raw", message });

  test.each<[string, () => InboundMessage, Partial<Message>]>([
    ["65,536 characters", () => ({ kind: "text", text: LONG }), { type: "text", content: LONG }],
    [
      "a thousand mentions",
      () => ({
        kind: "text",
        text: "all",
        mentions: Array.from({ length: MANY }, (_, n) => `34611${String(n).padStart(6, "0")}`),
      }),
      { content: "all" },
    ],
    ["an order", () => raw({ orderMessage: { itemCount: 3 } }), { unknownKind: "orderMessage" }],
    [
      "a picture to be seen once",
      () => ({ kind: "image", caption: "once", viewOnce: true }),
      { type: "image" },
    ],
    ["a poll", () => ({ kind: "poll", question: "¿Sí?", options: ["a", "b"] }), { type: "poll" }],
    [
      "an invitation to a channel",
      () => raw({ newsletterAdminInviteMessage: { newsletterJid: "1@newsletter", newsletterName: "News" } }),
      {},
    ],
    [
      "letters that turn the line, zeros and none",
      () => ({ kind: "text", text: "a\u202Eb\u200B\uFEFF\\u0000c\u0007" }),
      { content: "a\u202Eb\u200B\uFEFF\\u0000c\u0007" },
    ],
    ["a NUL", () => ({ kind: "text", text: "a\0b" }), { type: "text" }],
  ])("%s is stored and told, and what follows as well", async (_what, message, expected) => {
    const from = people[4] ?? "";
    const { id } = emulator.receive({ account, from, ...message() });
    const next = emulator.receive({ account, from, kind: "text", text: "still here" });
    await stored(next.id);
    expect(await now(id)).toMatchObject({ id, chatId: phoneJid(from), ...expected });
    expect((await eventsAbout(id)).map(({ event }) => event)).toContain("message.received");
    await nothingLeft();
  });

  test.each<[string, InboundMessage]>([
    ["an empty text", { kind: "text", text: "" }],
    ["a message with nothing in it", raw({})],
  ])("%s is acknowledged and shown to nobody", async (_what, message) => {
    const from = people[4] ?? "";
    const { id } = emulator.receive({ account, from, ...message });
    await stored(emulator.receive({ account, from, kind: "text", text: "still here" }).id);
    expect(await rig.store().inbox.message("s1", id)).toBeNull();
    await nothingLeft();
  });

  /** A post of a channel comes in clear, so that its bytes can be whatever a test wants. */
  async function aPost(id: string, bytes: number[]): Promise<Message> {
    emulator.sendStanza({
      account,
      stanza: {
        tag: "message",
        attrs: { from: CHANNEL, id, t: "1769853600", type: "text", server_id: "7" },
        content: [{ tag: "plaintext", content: { base64: Buffer.from(bytes).toString("base64") } }],
      },
    });
    return stored(id);
  }
  const CHANNEL = "120363000000000001@newsletter";
  /** Member 2000, which no version has: four bytes of text. */
  const FUTURE = [0x82, 0x7d, 0x04, ...Buffer.from("what")];
  const NEWS = [0x0a, 0x04, ...Buffer.from("news")];

  test("a channel's post is stored under its channel", async () => {
    expect(await aPost("3ANEWS1", NEWS)).toMatchObject({ chatId: CHANNEL, content: "news" });
  });

  test("members of a later version are no reason to refuse the rest, and kept where there is no rest", async () => {
    expect(await aPost("3ANEWS2", [...NEWS, ...FUTURE])).toMatchObject({ content: "news" });
    const unknown = await aPost("3ANEWS3", FUTURE);
    expect(unknown).toMatchObject({ type: "text", unknownKind: "unknown" });
    expect(Buffer.from(unknown.raw ?? "", "base64").toString()).toContain("what");
  });
});

test("W14: whatever came, nothing was refused, nothing is left open, and nothing of it is in the log", async () => {
  await nothingLeft();
  expect(rig.signals.at(-1)).toMatchObject({ type: "opened" });
  const lines = JSON.stringify(rig.lines);
  for (const secret of [account, ...people, "still here", "ñ👋z"]) expect(lines).not.toContain(secret);
});
