/** Messages to a linked socket: what contacts and the phone's owner write, kept until it is acknowledged. */
import type { proto } from "@whiskeysockets/baileys";
import { downloadMediaMessage } from "@whiskeysockets/baileys";
import { describe, expect, test } from "vitest";
import type { InboundMessage } from "../whatsapp/operations/messages.ts";
import type { BareSocket } from "../whatsapp/bare-socket.ts";
import { eventually, textsOf, useEmulator } from "../whatsapp/test-bed.ts";

const { emulator, link, open, reopen } = useEmulator();

const arrived = (socket: BareSocket, id: string) =>
  socket.until(`message ${id}`, () => socket.messages.find(({ message }) => message.key.id === id)?.message);
const allSettled = () => eventually(() => emulator().ledgerSummary().unacked).toBe(0);
const groupOf = (number?: string) => {
  const id = emulator().account(number).groups[0]?.id ?? "";
  return {
    id,
    members: emulator()
      .group(id)
      .members.filter((member) => member !== emulator().account(number).number),
  };
};

describe("what a contact writes", () => {
  test.each<[string, InboundMessage, keyof proto.IMessage]>([
    ["a text", { kind: "text", text: "hola" }, "conversation"],
    [
      "an answer",
      { kind: "text", text: "sí", replyTo: { id: "3A01", text: "¿vienes?" } },
      "extendedTextMessage",
    ],
    ["an image", { kind: "image", caption: "foto" }, "imageMessage"],
    ["a video", { kind: "video" }, "videoMessage"],
    ["a voice note", { kind: "audio", voice: true }, "audioMessage"],
    ["a document", { kind: "document", fileName: "factura.pdf" }, "documentMessage"],
    ["a sticker", { kind: "sticker" }, "stickerMessage"],
    ["a place", { kind: "location", latitude: 10.5, longitude: -66.9 }, "locationMessage"],
    ["a contact", { kind: "contact", name: "Ana", number: "9991000100009" }, "contactMessage"],
    ["a poll", { kind: "poll", question: "¿Cuándo?", options: ["hoy", "mañana"] }, "pollCreationMessageV3"],
    ["a reaction", { kind: "reaction", target: { id: "3A01" }, emoji: "👍" }, "reactionMessage"],
    ["an edit", { kind: "edit", target: { id: "3A01" }, text: "mejor así" }, "protocolMessage"],
    ["a deletion", { kind: "revoke", target: { id: "3A01" } }, "protocolMessage"],
    [
      "anything",
      { kind: "raw", message: { liveLocationMessage: { degreesLatitude: 1 } } },
      "liveLocationMessage",
    ],
  ])("%s arrives", async (_what, message, part) => {
    const socket = await link();
    const { id } = emulator().receive(message);
    const { message: content, key } = await arrived(socket, id);
    expect(content?.[part]).toBeTruthy();
    expect(key.fromMe).toBe(false);
    await allSettled();
  });

  test("an attachment is downloaded from the emulator and is what was sent", async () => {
    const socket = await link();
    const file = Buffer.from("a file of some bytes");
    const { id } = emulator().receive({ kind: "document", base64: file.toString("base64") });
    const downloaded = await downloadMediaMessage(await arrived(socket, id), "buffer", {});
    expect(downloaded.equals(file)).toBe(true);
  });

  test.each(["lid", "pn"] as const)(
    "people are addressed by %s, with the other name beside it",
    async (addressing) => {
      const { number } = emulator().createAccount({ options: { addressing } });
      const socket = await link(number);
      const [contact] = emulator().contacts(number);
      const { id } = emulator().receive({
        account: number,
        from: contact?.number,
        kind: "text",
        text: "hola",
      });
      const { key, pushName } = await arrived(socket, id);
      const names = [`${contact?.lid}@lid`, `${contact?.number}@s.whatsapp.net`];
      expect([key.remoteJid, key.remoteJidAlt]).toEqual(addressing === "lid" ? names : names.reverse());
      expect(pushName).toBe(contact?.pushName);
    },
  );

  test("nothing can be written to an account that nothing is linked to", () => {
    emulator().createAccount();
    expect(() => emulator().receive({ kind: "text", text: "hola" })).toThrow("nothing is linked");
  });
});

describe("groups", () => {
  test("members write with sender keys, each telling its own first", async () => {
    const socket = await link();
    const { id: group, members } = groupOf();
    for (const [index, from] of [members[0], members[1], members[0]].entries())
      emulator().receive({ from, group, kind: "text", text: `${index}` });
    await socket.until("three messages", () => textsOf(socket).length === 3);
    expect(textsOf(socket)).toEqual(["0", "1", "2"]);
    await allSettled();
  });

  test("a message in a group reaches every account that is in it, under one ciphertext", async () => {
    const [one, two] = [emulator().createAccount(), emulator().createAccount()];
    const [first, second] = await Promise.all([link(one.number), link(two.number)]);
    const from = emulator().contacts(one.number)[0]?.number ?? "";
    const { id: group } = emulator().createGroup({
      subject: "Juntos",
      members: [from, one.number, two.number],
    });
    // The first tells the key, so that of the second only the common ciphertext travels.
    for (const text of ["uno", "dos"])
      emulator().receive({ account: one.number, from, group, kind: "text", text });

    for (const socket of [first, second]) await socket.until("both", () => textsOf(socket).includes("dos"));
    const ciphertexts = emulator()
      .ledger({})
      .map(({ account, device, id }) => {
        const node = emulator().world.accounts.get(account)?.companions.get(device)?.recent.get(id);
        return JSON.stringify(node?.content);
      });
    expect(new Set(ciphertexts.slice(-2)).size).toBe(1);
  });

  test("messages that overtake each other are all read", async () => {
    const socket = await link();
    const { id: group, members } = groupOf();
    emulator().receive({ from: members[0], group, kind: "text", text: "first" });
    await socket.until("the first", () => textsOf(socket).includes("first"));
    emulator().fault({ kind: "reorder", order: [0, 2, 1] });
    for (const text of ["a", "b", "c"]) emulator().receive({ from: members[0], group, kind: "text", text });
    await eventually(() => emulator().ledger().at(-1)?.receiptedAt).toBeDefined();
    expect(emulator().ledgerSummary().sent).toBe(4);
  });
});

describe("what is typed on the phone", () => {
  test("a copy arrives in the contact's chat, as one's own", async () => {
    const socket = await link();
    const [contact] = emulator().contacts();
    const { id } = emulator().typeOnPhone({ to: contact?.number, kind: "text", text: "te llamo" });
    const { key, message } = await arrived(socket, id);
    expect(key).toMatchObject({
      fromMe: true,
      remoteJid: `${contact?.lid}@lid`,
      remoteJidAlt: `${contact?.number}@s.whatsapp.net`,
    });
    expect(message?.conversation).toBe("te llamo");
    await allSettled();
  });

  test("also in a group", async () => {
    const socket = await link();
    const { id: group } = groupOf();
    const { id } = emulator().typeOnPhone({ group, kind: "text", text: "hola a todos" });
    expect((await arrived(socket, id)).key).toMatchObject({ fromMe: true, remoteJid: `${group}@g.us` });
  });
});

describe("the queue", () => {
  test("what was written while the socket was away arrives at its next login, in order", async () => {
    const socket = await link();
    await socket.end();
    for (const text of ["1", "2", "3"]) emulator().receive({ kind: "text", text });
    expect(emulator().ledgerSummary()).toMatchObject({ queued: 3, sent: 0, unacked: 3 });

    const again = await reopen(socket);
    await again.until("three messages", () => textsOf(again).length === 3);

    expect(textsOf(again)).toEqual(["1", "2", "3"]);
    expect(again.messages.map(({ how }) => how)).toEqual(["append", "append", "append"]);
    await allSettled();
  });

  test("a batch that is cut in the middle leaves what was not acknowledged in the queue, and that comes again", async () => {
    const socket = await link();
    await socket.end();
    for (let n = 0; n < 20; n++) emulator().receive({ kind: "text", text: `${n}` });
    emulator().fault({ kind: "cut-after", stanzas: 8 });
    const cut = open({ credentials: socket.credentials });
    await cut.until("the cut", () => cut.closedWith() === 428);
    expect(emulator().ledgerSummary().sent).toBe(8);

    await reopen(socket);

    await allSettled();
    expect(emulator().ledgerSummary()).toMatchObject({ queued: 20, sent: 20 });
  });

  test("a receipt that got lost brings the same ciphertext again, which stock Baileys gives up (487)", async () => {
    const socket = await link();
    emulator().fault({ kind: "lose-receipt" });
    const { id } = emulator().receive({ kind: "text", text: "hola" });
    await arrived(socket, id);
    expect(emulator().ledgerSummary()).toMatchObject({ unacked: 1 });
    await socket.end();

    await reopen(socket);

    await eventually(() => emulator().ledger({ id })[0]?.nackCode).toBe(487);
  });

  test("the moment of a receipt can be caught in its own tick", async () => {
    await link();
    const seen: (string | undefined)[] = [];
    emulator().on({ types: ["message.received"] }, ({ id }) => seen.push(id));
    const { id } = emulator().receive({ kind: "text", text: "hola" });
    await eventually(() => seen).toEqual([id]);
    expect(emulator().ledger({ id })).toMatchObject([{ receiptType: "inactive", receipts: 1 }]);
  });
});

describe("messages that cannot be read", () => {
  test("the contact sends it again in a fresh session when asked", async () => {
    const socket = await link(undefined, { retryRequestDelayMs: 10 });
    emulator().fault({ kind: "corrupt" });
    const { id } = emulator().receive({ kind: "text", text: "hola" });
    await socket.until("the text", () => textsOf(socket).includes("hola"));
    expect(emulator().ledger({ id })).toMatchObject([
      { sentAt: [expect.any(Number), expect.any(Number)], retriedAt: [expect.any(Number)] },
    ]);
    await allSettled();
    expect(emulator().ledgerSummary()).toMatchObject({ nacked: 0, receipted: 1 });
  });

  test("in a group it comes again in private, with the key", async () => {
    const socket = await link(undefined, { retryRequestDelayMs: 10 });
    const { id: group, members } = groupOf();
    emulator().fault({ kind: "corrupt" });
    emulator().receive({ from: members[0], group, kind: "text", text: "one" });
    emulator().receive({ from: members[0], group, kind: "text", text: "two" });
    await socket.until("both", () => ["one", "two"].every((text) => textsOf(socket).includes(text)));
    await allSettled();
  });

  test("the phone is asked for what was given up, and has it", async () => {
    const socket = await link();
    emulator().fault({ kind: "lose-receipt" });
    const { id } = emulator().receive({ kind: "text", text: "lost once" });
    await arrived(socket, id);
    await socket.end();
    const again = await reopen(socket);
    await eventually(() => emulator().ledger({ id })[0]?.nackCode).toBe(487);

    await again.sock.requestPlaceholderResend({ remoteJid: "x@lid", fromMe: false, id });

    await again.until("the phone's answer", () => textsOf(again).includes("lost once"));
  });
});

test("a burst keeps its rate and is all receipted", async () => {
  const socket = await link();
  const { id } = emulator().startBurst({ count: 100, perSecond: 400, contacts: 5, groupShare: 0.1 });
  const burst = await emulator().burstFinished(id);
  await socket.until("all", () => textsOf(socket).length === 100);
  expect((burst.finishedAt ?? 0) - burst.startedAt).toBeGreaterThan(200);
  await allSettled();
  expect(emulator().ledgerSummary()).toMatchObject({ queued: 100, receipted: 100, nacked: 0, retries: 0 });
});
