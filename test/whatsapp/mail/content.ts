/** From what is said to WhatsApp's message: the protobuf, and what the stanza says about it in clear. */
import { randomBytes } from "node:crypto";
import { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { World } from "../world.ts";
import { contextInfo } from "./context-info.ts";
import { fileContent, isFile } from "./content-file.ts";
import type { MessageTarget, ReadMessageSpec } from "./message-spec.ts";

export interface Content {
  message: proto.IMessage;
  /** Attribute `type` of the stanza. */
  type: "text" | "media" | "reaction" | "poll";
  /** Attribute `mediatype` of its `<enc>`. */
  mediaType?: string;
  /** Attribute `edit`: 1 edited, 7 taken back, 8 taken back by an admin. */
  edit?: "1" | "7" | "8";
}

export interface ContentContext {
  /** The key of another message of the chat, as the one who writes sees it. */
  keyOf(target: MessageTarget): proto.IMessageKey;
  /** Jid of who wrote the target, as a quote names them. */
  authorOf(target: MessageTarget): string;
  mentionOf(number: string): string;
  media: Pick<World["media"], "put">;
}

type Of<Kind extends ReadMessageSpec["kind"]> = Extract<ReadMessageSpec, { kind: Kind }>;

const { ProtocolMessage } = proto.Message;

export function contentOf(spec: ReadMessageSpec, context: ContentContext): Content {
  if (isFile(spec)) return withSecret(fileContent(spec, context));
  switch (spec.kind) {
    case "text":
      return withSecret(textContent(spec, context));
    case "location":
    case "contact":
    case "poll":
      return withSecret(cardOf(spec, context));
    case "reaction":
    case "edit":
    case "revoke":
      return changeOf(spec, context);
    case "raw":
      return { type: "text", message: proto.Message.fromObject(spec.message) };
  }
}

function cardOf(spec: Of<"location" | "contact" | "poll">, context: ContentContext): Content {
  switch (spec.kind) {
    case "location":
      return {
        type: "media",
        mediaType: "location",
        message: {
          locationMessage: {
            degreesLatitude: spec.latitude,
            degreesLongitude: spec.longitude,
            name: spec.name ?? null,
            address: spec.address ?? null,
            ...contextInfo(spec, context),
          },
        },
      };
    case "contact":
      return {
        type: "media",
        mediaType: "vcard",
        message: {
          contactMessage: { displayName: spec.name, vcard: vcard(spec), ...contextInfo(spec, context) },
        },
      };
    case "poll":
      return {
        type: "poll",
        message: {
          pollCreationMessageV3: {
            name: spec.question,
            options: spec.options.map((optionName) => ({ optionName })),
            selectableOptionsCount: spec.selectable,
            ...contextInfo(spec, context),
          },
        },
      };
  }
}

/** About another message of the chat. */
function changeOf(spec: Of<"reaction" | "edit" | "revoke">, context: ContentContext): Content {
  const key = context.keyOf(spec.target);
  switch (spec.kind) {
    case "reaction":
      return {
        type: "reaction",
        message: {
          reactionMessage: {
            key,
            text: spec.emoji,
            senderTimestampMs: Date.now(),
          },
        },
      };
    case "edit":
      return {
        type: "text",
        edit: "1",
        message: {
          protocolMessage: {
            key,
            type: ProtocolMessage.Type.MESSAGE_EDIT,
            editedMessage: { conversation: spec.text },
            timestampMs: Date.now(),
          },
        },
      };
    case "revoke":
      return {
        type: "text",
        edit: key.fromMe ? "7" : "8",
        message: { protocolMessage: { key, type: ProtocolMessage.Type.REVOKE } },
      };
  }
}

/** Real clients put a secret into each message that can be reacted to, voted on, or reported. */
const withSecret = (content: Content): Content => ({
  ...content,
  message: { ...content.message, messageContextInfo: { messageSecret: randomBytes(32) } },
});

function textContent(spec: Of<"text">, context: ContentContext): Content {
  const info = contextInfo(spec, context);
  const message: proto.IMessage =
    Object.keys(info).length > 0
      ? { extendedTextMessage: { text: spec.text, ...info } }
      : { conversation: spec.text };
  return { type: "text", message };
}

const vcard = ({ name, number }: Of<"contact">): string =>
  [
    "BEGIN:VCARD",
    "VERSION:3.0",
    `N:;${name};;;`,
    `FN:${name}`,
    `TEL;type=CELL;waid=${number}:+${number}`,
    "END:VCARD",
  ].join("\n");
