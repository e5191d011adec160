import { openWhatsAppRig, type WhatsAppRig } from "../support/whatsapp-rig.ts";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventSchema } from "../../hub/contract/events.ts";
import type { Fact } from "../../hub/core/facts.ts";
import { presentMessage } from "../../hub/core/present.ts";
import type { OutgoingContent } from "../../hub/core/whatsapp.ts";
import { aMessage } from "../support/builders.ts";
import { until } from "../support/until.ts";
import { startEmulator, type Emulator } from "../whatsapp/emulator.ts";
import { trustEmulator } from "../whatsapp/trust.ts";

let emulator: Emulator;
let rig: WhatsAppRig;
let account: string;
let ana: string;
let folder: string;

beforeAll(async () => {
  emulator = await startEmulator();
  await trustEmulator(emulator);
  const created = emulator.createAccount({
    preset: "small",
    size: { pictures: 2 },
    options: { deliveryReceiptMs: 5, readReceiptMs: 400 },
  });
  account = created.number;
  rig = await openWhatsAppRig(emulator, { number: account });
  await rig.connect();
  ana = emulator.contacts(account)[0]?.number ?? "";
  folder = await mkdtemp(join(tmpdir(), "whatsapp-outbound-"));
  await writeFile(join(folder, "file.bin"), Buffer.alloc(5000, 7));
});
afterAll(async () => {
  await rig.stop();
  await emulator.stop();
  await rm(folder, { recursive: true, force: true });
});

const chatId = (): string => `${ana}@s.whatsapp.net`;

/** Sends as the hub does: stored first, then handed to the link under its own id. */
async function send(content: OutgoingContent, to = chatId()) {
  const messageId = rig.link().newMessageId();
  const message = aMessage({ chatId: to, id: messageId, fromMe: true, pushName: null, content: "stored" });
  await rig.store().inbox.record({
    sessionId: "s1",
    facts: [{ kind: "message", message, live: true }],
    closes: [],
    now: new Date(),
  });
  const sent = await rig.link().send({ chatId: to, messageId, content, quoted: null });
  return { messageId, sent };
}

const file = (mimetype: string, filename: string) => ({ path: join(folder, "file.bin"), mimetype, filename });

const statusFacts = (id: string): Extract<Fact, { kind: "status" }>[] =>
  rig.recorded
    .flatMap((entry) => entry.facts)
    .filter(
      (fact): fact is Extract<Fact, { kind: "status" }> => fact.kind === "status" && fact.ids.includes(id),
    );

test("text reaches the contact, and its states come back in order", async () => {
  const { messageId, sent } = await send({ kind: "text", text: "hola 👋", mentions: [] });
  const [got] = await until("the contact has it", () => {
    const found = emulator.sent({ account, id: messageId });
    return found.length > 0 ? found : null;
  });
  expect(got).toMatchObject({ text: "hola 👋" });
  expect(sent.raw).toBeTruthy();
  await until("read", () => statusFacts(messageId).some((fact) => fact.status === "read"));
  expect(statusFacts(messageId).map(({ status }) => status)).toEqual(["sent", "delivered", "read"]);
  const stored = await rig.store().inbox.message("s1", messageId);
  expect(stored).toMatchObject({ status: "read", content: "stored" });
});

test.each<[string, () => OutgoingContent]>([
  ["image", () => ({ kind: "image", file: file("image/png", "a.png"), caption: "pie" })],
  ["video", () => ({ kind: "video", file: file("video/mp4", "a.mp4"), caption: null })],
  ["audio", () => ({ kind: "audio", file: file("audio/ogg; codecs=opus", "a.ogg"), ptt: true })],
  ["document", () => ({ kind: "document", file: file("application/pdf", "a.pdf"), caption: null })],
  ["sticker", () => ({ kind: "sticker", file: file("image/webp", "a.webp") })],
])("a file goes out as %s and can be read by who gets it", async (kind, content) => {
  const { messageId, sent } = await send(content());
  const got = await until("the contact has it", () => emulator.sent({ account, id: messageId })[0]);
  expect(got).toMatchObject({ kind: `${kind}Message`, media: { bytes: 5000 } });
  expect(sent.media).toMatchObject({ filesize: 5000 });
  expect(sent.media?.mediaKey).toBeTruthy();
});

test.each<[string, () => OutgoingContent]>([
  ["location", () => ({ kind: "location", latitude: 40.4, longitude: -3.7, name: "Sol", address: null })],
  ["contact", () => ({ kind: "contacts", displayName: "Luis", vcards: ["BEGIN:VCARD\nFN:Luis\nEND:VCARD"] })],
  ["poll", () => ({ kind: "poll", name: "¿Sí?", values: ["sí", "no"], selectableCount: 1 })],
])("%s goes out", async (_kind, content) => {
  const { messageId } = await send(content());
  await until("the contact has it", () => emulator.sent({ account, id: messageId })[0]);
});

test("a voice note that was played has ack 4, in lists and in the event", async () => {
  const content = { kind: "audio", file: file("audio/ogg; codecs=opus", "a.ogg"), ptt: true } as const;
  const { messageId } = await send(content);
  await until("it was read", () => statusFacts(messageId).some(({ status }) => status === "read"));
  emulator.confirm({ ids: [messageId], type: "played" });
  const message = await until("it was played", async () => {
    const found = await rig.store().inbox.message("s1", messageId);
    return found?.isPlayed === true ? found : null;
  });
  const view = { jidForm: "c.us", ownNumber: account, publicUrl: "http://hub.test" } as const;
  expect(presentMessage(message, 1, view)).toMatchObject({ status: "read", ack: 4 });

  const rows = await rig.store().events.after({ after: 0, limit: 1000, sessions: "*" });
  const acks = rows
    .map(({ body }) => eventSchema.parse(JSON.parse(body)))
    .filter(({ event, data }) => event === "message.read" && data["messageId"] === messageId)
    .map(({ data }) => data["ack"]);
  expect(acks).toEqual([3, 4]);
});

test("a reaction, an edit and a deletion name the message they are about", async () => {
  const { messageId } = await send({ kind: "text", text: "antes", mentions: [] });
  const target = { chatId: chatId(), id: messageId, fromMe: true, participant: null };
  for (const content of [
    { kind: "reaction", target, emoji: "👍" },
    { kind: "edit", target, text: "después" },
    { kind: "delete", target },
  ] satisfies OutgoingContent[]) {
    const change = await send(content);
    const got = await until(content.kind, () => emulator.sent({ account, id: change.messageId })[0]);
    expect(JSON.stringify(got.message)).toContain(messageId);
  }
});

test("a group's members get what is sent to it, and only the first send asks who they are", async () => {
  const group = emulator.createGroup({ subject: "Equipo", members: [account, ana] });
  for (const text of ["uno", "dos"]) {
    const { messageId } = await send({ kind: "text", text, mentions: [] }, group.jid);
    const got = await until(text, () => emulator.sent({ account, id: messageId })[0]);
    expect(got).toMatchObject({ group: true, text });
  }
  await until("receipts name the member", () =>
    rig.recorded
      .flatMap(({ facts }) => facts)
      .some((fact) => fact.kind === "status" && fact.participant !== null),
  );
});

test("a group that WhatsApp cannot be asked about is for later, and one that is known is not asked about after a restart", async () => {
  const limit = (): void =>
    emulator.fault({ kind: "iq", xmlns: "w:g2", tag: "query", code: 429, count: null });
  const known = emulator.createGroup({ subject: "Conocidos", members: [account, ana] });
  const unknown = emulator.createGroup({ subject: "Otros", members: [account, ana] });
  const news = () => rig.recorded.flatMap(({ facts }) => facts.filter((fact) => fact.kind === "group"));
  await until("the news of both", () =>
    [known, unknown].every(({ jid }) => news().some((fact) => fact.jid === jid)),
  );
  await send({ kind: "text", text: "uno", mentions: [] }, known.jid);
  limit();
  await expect(send({ kind: "text", text: "nada", mentions: [] }, unknown.jid)).rejects.toMatchObject({
    code: "OVERLOADED",
  });
  await rig.crash();
  await rig.connect();
  const { messageId } = await send({ kind: "text", text: "dos", mentions: [] }, known.jid);
  const got = await until("dos", () => emulator.sent({ account, id: messageId })[0]);
  expect(got).toMatchObject({ group: true, text: "dos" });
  emulator.clearFaults();
});

test("a group whose members WhatsApp is slow to name keeps no other chat waiting", async () => {
  const group = emulator.createGroup({ subject: "Lentos", members: [account, ana] });
  await until("the group's news", () =>
    rig.recorded.some(({ facts }) => facts.some((fact) => fact.kind === "group" && fact.jid === group.jid)),
  );
  emulator.fault({ kind: "iq", xmlns: "w:g2", tag: "query", delayMs: 5_000, count: null });
  let isSlowSent = false;
  const slow = send({ kind: "text", text: "despacio", mentions: [] }, group.jid).then(
    () => (isSlowSent = true),
  );
  const { messageId } = await send({ kind: "text", text: "deprisa", mentions: [] });
  await until("the other chat's", () => emulator.sent({ account, id: messageId })[0]);
  expect(isSlowSent).toBe(false);
  emulator.clearFaults();
  await slow;
});

test("in a group of hidden ids a reaction names its author by the hidden id", async () => {
  const group = emulator.createGroup({ subject: "Ocultos", members: [account, ana], addressing: "lid" });
  const { id } = emulator.receive({ account, from: ana, group: group.id, kind: "text", text: "hola" });
  const message = await until("the message", () => rig.store().inbox.message("s1", id));
  expect(message.participant).toBe(chatId());
  const { messageId } = await send({ kind: "reaction", target: message, emoji: "👍" }, group.jid);
  const got = await until("the reaction", () => emulator.sent({ account, id: messageId })[0]);
  expect(JSON.stringify(got.message)).toMatch(/"participant":"\d+@lid"/);
});

test("WhatsApp's refusal is a failed status with its number", async () => {
  emulator.fault({ kind: "ack-error", account, code: 463 });
  const { messageId } = await send({ kind: "text", text: "frío", mentions: [] });
  const failed = await until("the refusal", () =>
    statusFacts(messageId).find(({ status }) => status === "failed"),
  );
  expect(failed).toMatchObject({ code: "463" });
  expect(failed.error).toMatch(/new chats/);
});

test("who cannot read a message gets it again, from the store, after a restart as well", async () => {
  emulator.fault({ kind: "contact-retry", account });
  const { messageId, sent } = await send({ kind: "text", text: "otra vez", mentions: [] });
  await rig.store().sends.relayed("s1", messageId, sent, new Date());
  const got = await until("it was read after all", () => emulator.sent({ account, id: messageId })[0]);
  expect(got).toMatchObject({ text: "otra vez" });
});

test("numbers are looked up, pictures found, and a missing one is null", async () => {
  const found = await rig.link().lookUp(ana);
  expect(found).toMatchObject({ exists: true, jid: chatId() });
  expect(found.lid).toMatch(/@lid$/);
  const stranger = emulator.contacts(account)[2]?.number ?? "";
  emulator.changeContact(account, stranger, { onWhatsApp: false });
  expect(await rig.link().lookUp(stranger)).toEqual({ exists: false, jid: null, lid: null });
  const urls: (string | null)[] = [];
  for (const { number } of emulator.contacts(account).slice(0, 5))
    urls.push(await rig.link().profilePictureUrl(`${number}@s.whatsapp.net`));
  expect(urls.some((url) => url !== null)).toBe(true);
  expect(urls.some((url) => url === null)).toBe(true);
});

test("what somebody says of themselves is asked for, and nothing is null", async () => {
  emulator.changeContact(account, ana, { about: "De vacaciones 🏖" });
  expect(await rig.link().about(chatId())).toBe("De vacaciones 🏖");
  emulator.changeContact(account, ana, { about: "" });
  expect(await rig.link().about(chatId())).toBeNull();
});

test("media that arrived can be downloaded", async () => {
  const { id } = emulator.receive({
    account,
    from: ana,
    kind: "document",
    fileName: "b.bin",
    base64: Buffer.alloc(3000, 9).toString("base64"),
  });
  const message = await until("the message", () => rig.store().inbox.message("s1", id));
  const chunks: Buffer[] = [];
  for await (const chunk of await rig.link().downloadMedia(message))
    chunks.push(Buffer.from(chunk as Uint8Array));
  expect(Buffer.concat(chunks).equals(Buffer.alloc(3000, 9))).toBe(true);
});

test("reading a chat tells the sender", async () => {
  const { id } = emulator.receive({ account, from: ana, kind: "text", text: "léeme" });
  await until("the message", () => rig.store().inbox.message("s1", id));
  await rig.link().markRead([{ chatId: chatId(), id, fromMe: false, participant: null }]);
  await until("the read receipt", () =>
    emulator.events(0, { types: ["read"] }).some((event) => event.id === id),
  );
});

test("once closed, nothing can be asked of a link", async () => {
  await rig.link().close();
  await expect(rig.link().lookUp(ana)).rejects.toMatchObject({ code: "SESSION_NOT_CONNECTED" });
  await rig.link().close();
  await rig.connect();
});

test("no query was left without an answer the emulator knows", () => {
  expect(emulator.counters()).toMatchObject({ unknown: {} });
});
