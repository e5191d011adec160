import { describe, expect, test } from "vitest";
import type { Fact } from "../../hub/core/facts.ts";
import type { Message } from "../../hub/core/message.ts";
import { proto } from "../../hub/whatsapp/baileys.ts";
import { factsOfMessage, type LiveMessage } from "../../hub/whatsapp/translate/facts-of-message.ts";
import { toMessage } from "../../hub/whatsapp/translate/message.ts";

const ME = { phone: "34600999888@s.whatsapp.net", lid: "999888@lid" };
const ANA = "34600111222@s.whatsapp.net";
const ANA_LID = "111222@lid";
const GROUP = "120363000000000001@g.us";
const T = 1_769_853_600;

type From = Partial<LiveMessage["key"]> & Partial<Omit<LiveMessage, "key" | "message">>;

function raw(message: proto.IMessage, from: From = {}): LiveMessage {
  const { remoteJid, fromMe, id, participant, ...rest } = from;
  return {
    key: { remoteJid: remoteJid ?? ANA, fromMe: fromMe ?? false, id: id ?? "3A01", participant },
    // Through the wire form, as it arrives.
    message: proto.Message.decode(proto.Message.encode(proto.Message.fromObject(message)).finish()),
    messageTimestamp: T,
    ...rest,
  };
}

function said(message: proto.IMessage, from: From = {}): Message {
  const translated = toMessage("s1", raw(message, from));
  if (translated === null) throw new Error("nothing to show");
  return translated;
}

const facts = (message: proto.IMessage, from: From = {}): Fact[] =>
  factsOfMessage("s1", raw(message, from), ME, true);

const factOf = <K extends Fact["kind"]>(kind: K, all: Fact[]): Extract<Fact, { kind: K }> => {
  const found = all.find((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} in ${JSON.stringify(all.map((fact) => fact.kind))}`);
  return found;
};

describe("kinds of message", () => {
  test("plain and extended text", () => {
    expect(said({ conversation: "hola\nqué tal 👋" })).toMatchObject({
      type: "text",
      content: "hola\nqué tal 👋",
      chatId: ANA,
      fromMe: false,
      participant: null,
      timestamp: T,
      status: "delivered",
      unknownKind: null,
    });
    const extended = said({
      extendedTextMessage: {
        text: "@34600999888 mira",
        contextInfo: {
          stanzaId: "3AQUOTED",
          quotedMessage: { conversation: "antes" },
          mentionedJid: ["34600999888:4@s.whatsapp.net"],
          isForwarded: true,
        },
      },
    });
    expect(extended).toMatchObject({
      content: "@34600999888 mira",
      quotedMessageId: "3AQUOTED",
      mentions: ["34600999888@s.whatsapp.net"],
      isForwarded: true,
    });
  });

  test("files say what WhatsApp needs to fetch them", () => {
    const file = {
      mimetype: "image/jpeg",
      fileLength: 245_678,
      fileSha256: Buffer.alloc(32, 1),
      mediaKey: Buffer.alloc(32, 2),
      directPath: "/v/t62/x?a=1",
      url: "https://mmg.whatsapp.net/v/t62/x?a=1",
    };
    expect(said({ imageMessage: { ...file, caption: "la foto" } })).toMatchObject({
      type: "image",
      content: "la foto",
      caption: "la foto",
      media: {
        mediaId: "",
        token: "",
        filename: "image.jpg",
        filesize: 245_678,
        mimetype: "image/jpeg",
        sha256: Buffer.alloc(32, 1).toString("base64"),
        mediaKey: Buffer.alloc(32, 2).toString("base64"),
        directPath: "/v/t62/x?a=1",
        ptt: false,
      },
    });
    expect(said({ audioMessage: { ...file, mimetype: "audio/ogg; codecs=opus", ptt: true } })).toMatchObject({
      type: "audio",
      content: "",
      media: { filename: "audio.ogg", ptt: true },
    });
    expect(
      said({ documentMessage: { ...file, mimetype: "application/pdf", fileName: "factura.pdf" } }),
    ).toMatchObject({ type: "document", media: { filename: "factura.pdf" } });
    expect(said({ ptvMessage: { ...file, mimetype: "video/mp4" } })).toMatchObject({ type: "video" });
    expect(said({ stickerMessage: { ...file, mimetype: "image/webp" } })).toMatchObject({
      type: "sticker",
      media: { filename: "sticker.webp" },
    });
  });

  test("wrappers are taken off: disappearing, view-once, with caption, sent by our phone", () => {
    const image = { imageMessage: { mimetype: "image/png", caption: "c" } };
    expect(said({ ephemeralMessage: { message: { viewOnceMessageV2: { message: image } } } })).toMatchObject({
      type: "image",
      content: "c",
    });
    expect(
      said({
        documentWithCaptionMessage: { message: { documentMessage: { fileName: "a.txt", caption: "lee" } } },
      }),
    ).toMatchObject({ type: "document", content: "lee" });
    expect(
      said(
        { deviceSentMessage: { destinationJid: ANA, message: { conversation: "desde el móvil" } } },
        { fromMe: true },
      ),
    ).toMatchObject({ content: "desde el móvil", fromMe: true, status: "sent", participant: null });
  });

  test("places, people, polls, lists and buttons", () => {
    expect(
      said({
        locationMessage: { degreesLatitude: 40.4, degreesLongitude: -3.7, name: "Sol", address: "Madrid" },
      }),
    ).toMatchObject({
      type: "location",
      content: "📍 Sol, Madrid",
      location: { latitude: 40.4, longitude: -3.7, name: "Sol", address: "Madrid" },
    });
    expect(
      said({ contactMessage: { vcard: "BEGIN:VCARD\nFN:Luis Pérez\nEND:VCARD", displayName: null } }),
    ).toMatchObject({ type: "contact", content: "👤 Luis Pérez", contacts: [{ name: "Luis Pérez" }] });
    expect(
      said({
        pollCreationMessageV3: {
          name: "¿Cuándo?",
          options: [{ optionName: "hoy" }, { optionName: "mañana" }],
          selectableOptionsCount: 1,
        },
      }),
    ).toMatchObject({
      type: "poll",
      content: "📊 ¿Cuándo?",
      poll: { name: "¿Cuándo?", values: ["hoy", "mañana"], selectableCount: 1 },
    });
    expect(said({ listResponseMessage: { title: "Opción 2" } })).toMatchObject({
      type: "list",
      content: "Opción 2",
    });
    expect(said({ buttonsResponseMessage: { selectedDisplayText: "Sí" } })).toMatchObject({
      type: "buttons",
      content: "Sí",
    });
    expect(said({ interactiveMessage: { body: { text: "Elige" } } })).toMatchObject({
      type: "buttons",
      content: "Elige",
    });
  });

  test("a kind the contract has no word for is kept whole, named, and readable", () => {
    const invite = said({ groupInviteMessage: { groupName: "Vecinos", groupJid: GROUP, inviteCode: "x" } });
    expect(invite).toMatchObject({
      type: "text",
      content: "✉️ Invitation to the group Vecinos",
      unknownKind: "groupInviteMessage",
    });
    expect(proto.Message.decode(Buffer.from(invite.raw ?? "", "base64")).groupInviteMessage?.groupName).toBe(
      "Vecinos",
    );
    expect(said({ richResponseMessage: {} })).toMatchObject({
      type: "text",
      unknownKind: "richResponseMessage",
    });
  });

  test("what only devices talk about is nothing to show", () => {
    expect(
      toMessage(
        "s1",
        raw({ protocolMessage: { type: proto.Message.ProtocolMessage.Type.EPHEMERAL_SETTING } }),
      ),
    ).toBeNull();
    expect(toMessage("s1", raw({ senderKeyDistributionMessage: { groupId: GROUP } }))).toBeNull();
    expect(toMessage("s1", raw({}))).toBeNull();
    expect(toMessage("s1", raw({ keepInChatMessage: {} }))).toBeNull();
  });

  test("hostile sizes are cut", () => {
    const huge = said({ conversation: "x".repeat(1_000_000) }, { pushName: "n".repeat(1_000_000) });
    expect(huge.content).toHaveLength(100_000);
    expect(huge.pushName).toHaveLength(1000);
    const mentions = Array.from({ length: 5000 }, (_, n) => `${34600000000 + n}@s.whatsapp.net`);
    expect(
      said({ extendedTextMessage: { text: "a", contextInfo: { mentionedJid: mentions } } }).mentions,
    ).toHaveLength(1024);
  });
});

describe("facts of a message", () => {
  test("a sender's other address and names are learnt; in a group they are the author's", () => {
    expect(facts({ conversation: "a" }, { remoteJid: ANA_LID, alternative: ANA, pushName: "Ana" })).toEqual([
      { kind: "lid", lid: ANA_LID, phone: ANA },
      { kind: "contact", jid: ANA_LID, change: { pushName: "Ana" }, live: true },
      expect.objectContaining({ kind: "message", live: true }),
    ]);
    const inGroup = facts(
      { conversation: "a" },
      {
        remoteJid: GROUP,
        participant: "111222:3@lid",
        alternative: "34600111222:3@s.whatsapp.net",
        pushName: "Ana",
      },
    );
    expect(inGroup).toContainEqual({ kind: "lid", lid: ANA_LID, phone: ANA });
    expect(factOf("message", inGroup).message).toMatchObject({ chatId: GROUP, participant: ANA_LID });
  });

  test("our own number is never taken for the other side's", () => {
    const typed = facts(
      { conversation: "a" },
      { remoteJid: ANA_LID, fromMe: true, alternative: ME.phone, pushName: "Shop" },
    );
    expect(typed.map(({ kind }) => kind)).toEqual(["message"]);
    expect(facts({ conversation: "a" }, { remoteJid: ANA_LID, alternative: ME.phone })).toHaveLength(1);
  });

  test("a message to a broadcast list is in the sender's chat, a status in none", () => {
    const list = facts({ conversation: "oferta" }, { remoteJid: "12345@broadcast", participant: ANA });
    expect(factOf("message", list).message).toMatchObject({ chatId: ANA, participant: null });
    expect(facts({ conversation: "a" }, { remoteJid: "status@broadcast", participant: ANA })).toEqual([]);
  });

  test("edits are the author's own, in every wrapper", () => {
    const edit: proto.IMessage = {
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
        key: { remoteJid: ANA, id: "3AOLD", fromMe: true },
        editedMessage: { conversation: "corregido" },
        timestampMs: (T + 5) * 1000,
      },
    };
    for (const message of [edit, { editedMessage: { message: edit } }])
      expect(factOf("edit", facts(message))).toMatchObject({
        target: { chatId: ANA, id: "3AOLD", fromMe: false, participant: null },
        content: "corregido",
        at: T + 5,
      });
  });

  test("a revoke names its message; in a group an admin's may be anybody's", () => {
    const revoke = (participant?: string): proto.IMessage => ({
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.REVOKE,
        key: { remoteJid: GROUP, id: "3AOLD", fromMe: false, ...(participant ? { participant } : {}) },
      },
    });
    expect(factOf("revoke", facts(revoke()))).toMatchObject({
      target: { chatId: ANA, id: "3AOLD", fromMe: false },
      by: ANA,
      forEveryone: true,
    });
    const own = facts(revoke(), { remoteJid: GROUP, participant: ANA });
    expect(factOf("revoke", own).target).toEqual({
      chatId: GROUP,
      id: "3AOLD",
      fromMe: false,
      participant: ANA,
    });
    const byAdmin = facts(revoke("34600333444@s.whatsapp.net"), { remoteJid: GROUP, participant: ANA });
    expect(factOf("revoke", byAdmin).target).toEqual({ chatId: GROUP, id: "3AOLD" });
  });

  test("reactions, and taking them back", () => {
    const react = (text: string, from: From = {}): Fact =>
      factOf(
        "reaction",
        facts(
          {
            reactionMessage: {
              key: { remoteJid: ANA, id: "3AOLD", fromMe: true },
              text,
              senderTimestampMs: T * 1000,
            },
          },
          from,
        ),
      );
    expect(react("👍")).toMatchObject({
      target: { chatId: ANA, id: "3AOLD", fromMe: true, participant: null },
      from: ANA,
      fromMe: false,
      emoji: "👍",
      atMs: T * 1000,
    });
    expect(react("", { fromMe: true })).toMatchObject({ from: ME.phone, fromMe: true, emoji: "" });
  });
});
