import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EVENT_DATA } from "../../hub/contract/event-data.ts";
import { eventSchema } from "../../hub/contract/events.ts";
import type { Chat } from "../../hub/core/chat.ts";
import type { Message } from "../../hub/core/message.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";
import type { InboundMessage } from "../whatsapp/operations/messages.ts";

let emulator: Emulator;
let rig: WhatsAppRig;
let account: string;
let ana: { number: string; lid: string };

beforeAll(async () => {
  emulator = await startEmulator();
  await trustEmulator(emulator);
  const created = emulator.createAccount({ preset: "small" });
  account = created.number;
  rig = await openWhatsAppRig(emulator, { number: account });
  await rig.connect();
  const [first] = emulator.contacts(account);
  if (first === undefined) throw new Error("the account knows nobody");
  ana = first;
  await until("the history is stored", async () => (await rig.store().intake.open("s1")).length === 0);
});
afterAll(async () => {
  await rig.stop();
  await emulator.stop();
});

async function received(message: InboundMessage): Promise<Message> {
  const { id } = emulator.receive({ account, from: ana.number, ...message });
  return until(`message ${id}`, () => rig.store().inbox.message("s1", id));
}
const chatId = (): string => `${ana.number}@s.whatsapp.net`;

describe.each(["lid", "pn"] as const)("addressed by %s", (addressing) => {
  test("each kind becomes a message in one and the same chat", async () => {
    const common = { addressing };
    expect(await received({ kind: "text", text: "hola\n👋", ...common })).toMatchObject({
      chatId: chatId(),
      type: "text",
      content: "hola\n👋",
      fromMe: false,
      participant: null,
    });
    for (const kind of ["image", "video", "document"] as const) {
      const message = await received({ kind, caption: "mira", ...common });
      expect(message).toMatchObject({ type: kind, content: "mira", caption: "mira" });
      expect(message.media?.mediaKey).toBeTruthy();
      expect(message.media?.mediaId).toMatch(/^med_/);
    }
    expect(await received({ kind: "audio", voice: true, ...common })).toMatchObject({
      type: "audio",
      media: { ptt: true },
    });
    expect(await received({ kind: "sticker", ...common })).toMatchObject({ type: "sticker" });
    expect(
      await received({ kind: "location", latitude: 40.4, longitude: -3.7, name: "Sol", ...common }),
    ).toMatchObject({ type: "location", content: "📍 Sol" });
    expect(await received({ kind: "contact", name: "Luis", number: "34600111333", ...common })).toMatchObject(
      {
        type: "contact",
        content: "👤 Luis",
      },
    );
    expect(
      await received({ kind: "poll", question: "¿Cuándo?", options: ["hoy", "ya"], ...common }),
    ).toMatchObject({
      type: "poll",
      poll: { values: ["hoy", "ya"] },
    });
    expect(
      await received({ kind: "raw", message: { productMessage: { product: { title: "Mesa" } } }, ...common }),
    ).toMatchObject({ type: "text", content: "🛍️ Mesa", unknownKind: "productMessage" });
  });

  test("quotes, mentions and forwarding are kept", async () => {
    const first = await received({ kind: "text", text: "uno", addressing });
    const answer = await received({
      kind: "text",
      text: "dos",
      addressing,
      replyTo: { id: first.id },
      mentions: [account],
      forwarded: true,
    });
    expect(answer).toMatchObject({ quotedMessageId: first.id, isForwarded: true });
    expect(answer.mentions).toHaveLength(1);
  });

  test("a reaction, an edit and a revoke change their message", async () => {
    const message = await received({ kind: "text", text: "antes", addressing });
    const target = { id: message.id };
    const now = (): Promise<Message | null> => rig.store().inbox.message("s1", message.id);
    emulator.receive({ account, from: ana.number, addressing, kind: "reaction", target, emoji: "👍" });
    await until("the reaction", async () => (await now())?.reactions[0]?.emoji === "👍");
    emulator.receive({ account, from: ana.number, addressing, kind: "edit", target, text: "después" });
    await until("the edit", async () => (await now())?.content === "después");
    emulator.receive({ account, from: ana.number, addressing, kind: "revoke", target });
    await until("the revoke", async () => (await now())?.status === "deleted");
  });

  test("what is typed on the phone is our own message in the receiver's chat, and teaches no number", async () => {
    const { id } = emulator.typeOnPhone({
      account,
      to: ana.number,
      addressing,
      kind: "text",
      text: "desde el móvil",
    });
    const message = await until("the phone's message", () => rig.store().inbox.message("s1", id));
    expect(message).toMatchObject({ chatId: chatId(), fromMe: true, participant: null, status: "sent" });
    const { lid } = await rig.store().inbox.addresses("s1", chatId());
    expect(lid).toBe(ana.lid.includes("@") ? ana.lid : `${ana.lid}@lid`);
  });

  test("in a group the author is named", async () => {
    const group = emulator.createGroup({ subject: "Vecinos", members: [account, ana.number], addressing });
    const { id } = emulator.receive({
      account,
      from: ana.number,
      group: group.id,
      kind: "text",
      text: "a todos",
    });
    const message = await until("the group's message", () => rig.store().inbox.message("s1", id));
    expect(message).toMatchObject({ chatId: group.jid, participant: chatId(), content: "a todos" });
    const chat = (): Promise<Chat | null> => rig.store().inbox.chat("s1", group.jid);
    await until("the group's name", async () => (await chat())?.name === "Vecinos");
    emulator.changeGroup(group.id, { subject: "Vecinos 2" });
    await until("the group's new name", async () => (await chat())?.name === "Vecinos 2");
  });
});

test("what is set for a group is told, once each, though the library tells it as well", async () => {
  const { id, jid } = emulator.createGroup({ subject: "Comunidad", members: [ana.number, account] });
  const told = async (): Promise<Record<string, unknown>[]> => {
    const rows = await rig
      .store()
      .events.after({ after: 0, limit: 5000, sessions: "*", types: ["group.updated"] });
    const all = rows.map(({ body }) =>
      EVENT_DATA["group.updated"].parse(eventSchema.parse(JSON.parse(body)).data),
    );
    return all.filter(({ groupId }) => groupId === jid).map(({ group, by }) => ({ ...group, by }));
  };
  await until("the group is told of", async () => (await told()).length === 1);
  const owner = `${ana.number}@c.us`;
  const known = { id: jid, subject: "Comunidad", owner, by: owner, createdAt: expect.any(Number) as number };
  expect(await told()).toEqual([
    { ...known, description: null, announce: false, restrict: false, ephemeralSeconds: 0 },
  ]);
  emulator.changeGroup(id, { description: "Sólo avisos" });
  emulator.changeGroup(id, { announcement: true });
  emulator.changeGroup(id, { locked: true });
  emulator.changeGroup(id, { ephemeralSeconds: 86_400 });
  emulator.changeGroup(id, { subject: "Comunidad 2" });
  await until("all is told", async () => (await told()).at(-1)?.["subject"] === "Comunidad 2");
  expect(await told()).toHaveLength(6);
  expect((await told()).at(-1)).toMatchObject({
    description: "Sólo avisos",
    announce: true,
    restrict: true,
    ephemeralSeconds: 86_400,
  });
  expect(await rig.store().inbox.contact("s1", jid)).toMatchObject({ about: "Sólo avisos" });
});

test("that a picture is new marks its contact for a look-up, that it went takes it away", async () => {
  await rig.ingest()({
    sessionId: "s1",
    facts: [
      { kind: "contact", jid: chatId(), change: { pictureToken: "old" }, live: false },
      { kind: "profile", jid: chatId(), lookedUpAt: Date.now() },
    ],
    closes: [],
  });
  const contact = () => rig.store().inbox.contact("s1", chatId());
  emulator.changeContact(account, ana.number, { picture: "new" });
  await until("it is marked", async () => (await contact())?.lookedUpAt === null);
  expect(await contact()).toMatchObject({ pictureToken: "old" });
  emulator.changeContact(account, ana.number, { picture: "none" });
  await until("it is gone", async () => (await contact())?.pictureToken === null);
});

test("everything was acknowledged once, nothing refused, asked for again or left open", async () => {
  await until("all receipts", () => emulator.ledgerSummary(account).unacked === 0);
  const summary = emulator.ledgerSummary(account);
  expect(summary).toMatchObject({ unacked: 0, nacked: 0, retries: 0, duplicatesOfId: 0, extraReceipts: 0 });
  expect(await rig.store().intake.open("s1")).toEqual([]);
});

test("no message, number or key reaches the log", () => {
  const text = JSON.stringify(rig.lines);
  for (const secret of [account, ana.number, "hola", "mira"]) expect(text).not.toContain(secret);
});
