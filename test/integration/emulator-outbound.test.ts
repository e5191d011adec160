/** What a linked socket sends: really decrypted by those it is for, acknowledged by the server, confirmed by the recipients. */
import type { AnyMessageContent, WAMessageKey } from "@whiskeysockets/baileys";
import { describe, expect, test } from "vitest";
import type { BareSocket } from "../whatsapp/bare-socket.ts";
import type { SentMessage } from "../whatsapp/state/sent.ts";
import { eventually, textsOf, useEmulator } from "../whatsapp/test-bed.ts";

const { emulator, link, open } = useEmulator();

const contact = () => {
  const [first] = emulator().contacts();
  return { number: first?.number ?? "", pn: `${first?.number}@s.whatsapp.net`, lid: `${first?.lid}@lid` };
};
const group = () => `${emulator().account().groups[0]?.id}@g.us`;
const send = async (
  { sock }: BareSocket,
  to: string,
  content: AnyMessageContent,
): Promise<WAMessageKey & { id: string }> => {
  const key = (await sock.sendMessage(to, content))?.key;
  if (!key?.id) throw new Error("not sent");
  return { ...key, id: key.id };
};
const received = async (id: string): Promise<SentMessage> => {
  await eventually(() => emulator().sent({ id })).not.toEqual([]);
  const [message] = emulator().sent({ id });
  if (!message) throw new Error("not received");
  return message;
};
/** Statuses that the socket was told of a message, by its id. What comes within 100 ms is folded into the message's own event. */
function watchStatus({ sock }: BareSocket): Map<string, number[]> {
  const seen = new Map<string, number[]>();
  const note = (id: string | null | undefined, status: unknown): void => {
    if (id && typeof status === "number") seen.set(id, [...(seen.get(id) ?? []), status]);
  };
  sock.ev.on("messages.upsert", ({ messages }) => {
    for (const { key, status } of messages) note(key.id, status);
  });
  sock.ev.on("messages.update", (updates) => {
    for (const { key, update } of updates) note(key.id, update.status);
  });
  return seen;
}
const [ERROR, DELIVERED, READ] = [0, 3, 4];

describe("messages to a contact", () => {
  test.each(["pn", "lid"] as const)("a text addressed by %s is read by the contact", async (way) => {
    const socket = await link();
    const { id } = await send(socket, contact()[way], { text: "hola" });
    expect(await received(id)).toMatchObject({
      to: contact().number,
      text: "hola",
      group: false,
      toJid: contact()[way],
    });
    expect(emulator().counters().counts.sentUndecryptable).toBe(0);
  });

  test("an attachment is uploaded over TLS and opened by the contact", async () => {
    const socket = await link();
    const { id } = await send(socket, contact().pn, {
      document: Buffer.from("hello"),
      mimetype: "text/plain",
      fileName: "a.txt",
    });
    expect(await received(id)).toMatchObject({
      kind: "documentMessage",
      media: { kind: "document", bytes: 5 },
    });
    expect(emulator().counters().counts.mediaUploads).toBe(1);
  });

  test("a reaction, an edit and a deletion name the message they are about", async () => {
    const socket = await link();
    const key = await send(socket, contact().pn, { text: "hola" });
    const reaction = await send(socket, contact().pn, { react: { text: "❤️", key } });
    const edit = await send(socket, contact().pn, { text: "adiós", edit: key });
    const deletion = await send(socket, contact().pn, { delete: key });

    expect(await received(reaction.id)).toMatchObject({ kind: "reactionMessage", text: "❤️" });
    expect(await received(edit.id)).toMatchObject({ edit: "1", text: "adiós" });
    expect(await received(deletion.id)).toMatchObject({ edit: "7" });
  });

  test("after the contact answered, messages come without the handshake and are still read", async () => {
    const socket = await link();
    await send(socket, contact().lid, { text: "one" });
    emulator().receive({ kind: "text", text: "answer" });
    await socket.until("the answer", () => textsOf(socket).includes("answer"));
    for (const text of ["two", "three"]) await send(socket, contact().lid, { text });
    await expect
      .poll(() =>
        emulator()
          .sent()
          .map(({ text }) => text),
      )
      .toEqual(["one", "two", "three"]);
  });

  test("somebody nobody heard of can be written to, unless the number is not on WhatsApp", async () => {
    const socket = await link();
    const { id } = await send(socket, "99977700001@s.whatsapp.net", { text: "hola" });
    expect(await received(id)).toMatchObject({ to: "99977700001" });

    emulator().changeContact(undefined, "99977700002", { onWhatsApp: false });
    expect(await socket.sock.onWhatsApp("99977700002")).toEqual([]);
  });

  test("a note to oneself is read on the phone", async () => {
    const socket = await link();
    const { number } = emulator().account();
    const { id } = await send(socket, `${number}@s.whatsapp.net`, { text: "no olvidar" });
    expect(await received(id)).toMatchObject({ to: number, text: "no olvidar" });
  });

  test("one account's socket writes to another's", async () => {
    const [one, two] = [emulator().createAccount(), emulator().createAccount()];
    const [first, second] = [await link(one.number), await link(two.number)];
    await send(first, `${two.number}@s.whatsapp.net`, { text: "de cuenta a cuenta" });
    await second.until("the text", () => textsOf(second).includes("de cuenta a cuenta"));
    await send(second, `${one.number}@s.whatsapp.net`, { text: "y de vuelta" });
    await first.until("the text", () => textsOf(first).includes("y de vuelta"));
  });
});

describe("messages to a group", () => {
  test("every member reads it, by sender key", async () => {
    const socket = await link();
    const members = emulator().group(group()).members.length - 1;
    const ids = [
      await send(socket, group(), { text: "uno" }),
      await send(socket, group(), { text: "dos" }),
    ].map(({ id }) => id);
    for (const id of ids) await eventually(() => emulator().sent({ id })).toHaveLength(members);
    expect(emulator().counters().counts.sentUndecryptable).toBe(0);
  });

  test("it can be made by the socket", async () => {
    const socket = await link();
    const { id, participants } = await socket.sock.groupCreate("Nuevo", [contact().pn]);
    expect(participants).toHaveLength(2);
    const { id: message } = await send(socket, id, { text: "bienvenidos" });
    expect(await received(message)).toMatchObject({ readBy: contact().number, group: true });
  });
});

describe("confirmations", () => {
  test("delivery and reading are told after the delays that the account has", async () => {
    const { number } = emulator().createAccount({ options: { deliveryReceiptMs: 10, readReceiptMs: 300 } });
    const socket = await link(number);
    const statuses = watchStatus(socket);
    const { id } = await send(socket, contact().pn, { text: "hola" });
    await socket.until("both", () => statuses.get(id)?.at(-1) === READ);
    // Baileys may fold the two into one update; the emulator sent both, the second later.
    const [delivery, read] = emulator().events(0, { types: ["receipt.sent"], id });
    expect([delivery?.detail?.["type"], read?.detail?.["type"]]).toEqual(["delivery", "read"]);
    expect((read?.at ?? 0) - (delivery?.at ?? 0)).toBeGreaterThan(200);
    await eventually(() => emulator().account(number).devices[0]?.queued).toBe(0);
  });

  test("by hand, when the account confirms nothing by itself", async () => {
    const { number } = emulator().createAccount({ options: { deliveryReceiptMs: null } });
    const socket = await link(number);
    const statuses = watchStatus(socket);
    const { id } = await send(socket, contact().pn, { text: "hola" });
    await received(id);
    emulator().confirm({ ids: [id], type: "read" });
    await socket.until("the receipt", () => statuses.get(id)?.includes(READ));
  });

  test("contacts answer by themselves if they are told to", async () => {
    const { number } = emulator().createAccount({ options: { autoReply: "Recibido", autoReplyMs: 5 } });
    const socket = await link(number);
    await send(socket, contact().lid, { text: "hola" });
    await socket.until("the answer", () => textsOf(socket).includes("Recibido"));
  });

  test("confirmations wait for a socket that is away", async () => {
    const { number } = emulator().createAccount({ options: { deliveryReceiptMs: null } });
    const socket = await link(number);
    const { id } = await send(socket, contact().pn, { text: "hola" });
    await received(id);
    await socket.end();
    emulator().confirm({ ids: [id], type: "delivery" });

    const again = open({ credentials: socket.credentials });
    const statuses = watchStatus(again);
    await again.until("the receipt", () => statuses.get(id)?.includes(DELIVERED));
  });
});

describe("trouble on the way", () => {
  test("a contact that cannot read asks for it again, and reads that", async () => {
    const socket = await link();
    emulator().fault({ kind: "contact-retry" });
    const { id } = await send(socket, contact().pn, { text: "hola" });
    expect(await received(id)).toMatchObject({ text: "hola", times: 1 });
    expect(emulator().counters().counts.messagesSent).toBe(2);
  });

  test("members of a group too, without anybody reading it twice", async () => {
    const socket = await link();
    const members = emulator().group(group()).members.length - 1;
    emulator().fault({ kind: "contact-retry" });
    const { id } = await send(socket, group(), { text: "hola" });
    await eventually(() => emulator().sent({ id })).toHaveLength(members);
  });

  test("the server refuses a message: it is an error, and nobody reads it", async () => {
    const socket = await link();
    const statuses = watchStatus(socket);
    emulator().fault({ kind: "ack-error", code: 479 });
    const { id } = await send(socket, contact().pn, { text: "hola" });
    await socket.until("the error", () => statuses.get(id)?.includes(ERROR));
    expect(emulator().sent({ id })).toEqual([]);
  });
});

test("no query is left without an answer", async () => {
  const { sock } = await link();
  const { pn, lid } = contact();
  await sock.profilePictureUrl(pn);
  await sock.fetchStatus(pn);
  await sock.fetchBlocklist();
  await sock.updateBlockStatus(lid, "block");
  await sock.groupFetchAllParticipating();
  await sock.groupUpdateSubject(group(), "Otro");
  await sock.groupInviteCode(group());
  await sock.fetchAccountReachoutTimelock();
  await sock.fetchNewChatMessageCap();
  await sock.chatModify({ mute: 1 }, pn);
  await sock.addOrEditContact(pn, { fullName: "Otra" });
  await sock.presenceSubscribe(pn);
  await sock.sendPresenceUpdate("composing", pn);
  expect(await sock.fetchBlocklist()).toEqual([lid]);
  expect(emulator().contacts()[0]?.name).toBe("Otra");
  expect(emulator().counters()).toMatchObject({
    unknown: {},
    counts: { unknownStanzas: 0, brokenStanzas: 0 },
  });
});
