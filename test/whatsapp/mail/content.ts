/** From what is said to WhatsApp's message: the protobuf, and what the stanza says about it in clear. */
import { randomBytes } from "node:crypto";
import { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { StoredMedia } from "../media/media-store.ts";
import {
  sampleBytes,
  sampleMp4,
  sampleOgg,
  samplePdf,
  samplePng,
  sampleWav,
  sampleWebp,
} from "../media/sample-files.ts";
import type { World } from "../world.ts";
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
type FileSpec = Of<"image" | "video" | "audio" | "document" | "sticker">;

const { ProtocolMessage } = proto.Message;

export function contentOf(spec: ReadMessageSpec, context: ContentContext): Content {
  switch (spec.kind) {
    case "text":
      return withSecret(textContent(spec, context));
    case "image":
    case "video":
    case "audio":
    case "document":
    case "sticker":
      return withSecret(fileContent(spec, context));
    case "location":
      return withSecret({
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
      });
    case "contact":
      return withSecret({
        type: "media",
        mediaType: "vcard",
        message: {
          contactMessage: { displayName: spec.name, vcard: vcard(spec), ...contextInfo(spec, context) },
        },
      });
    case "poll":
      return withSecret({
        type: "poll",
        message: {
          pollCreationMessageV3: {
            name: spec.question,
            options: spec.options.map((optionName) => ({ optionName })),
            selectableOptionsCount: spec.selectable,
            ...contextInfo(spec, context),
          },
        },
      });
    case "reaction":
      return {
        type: "reaction",
        message: {
          reactionMessage: {
            key: context.keyOf(spec.target),
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
            key: context.keyOf(spec.target),
            type: ProtocolMessage.Type.MESSAGE_EDIT,
            editedMessage: { conversation: spec.text },
            timestampMs: Date.now(),
          },
        },
      };
    case "revoke": {
      const key = context.keyOf(spec.target);
      return {
        type: "text",
        edit: key.fromMe ? "7" : "8",
        message: { protocolMessage: { key, type: ProtocolMessage.Type.REVOKE } },
      };
    }
    case "raw":
      return { type: "text", message: proto.Message.fromObject(spec.message) };
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

function contextInfo(
  spec: Exclude<ReadMessageSpec, { kind: "reaction" | "edit" | "revoke" | "raw" }>,
  context: ContentContext,
): { contextInfo?: proto.IContextInfo } {
  const info: proto.IContextInfo = {};
  if (spec.replyTo) {
    info.stanzaId = spec.replyTo.id;
    info.participant = context.authorOf(spec.replyTo);
    info.quotedMessage = { conversation: spec.replyTo.text ?? "" };
  }
  if (spec.mentions?.length) info.mentionedJid = spec.mentions.map((number) => context.mentionOf(number));
  if (spec.forwarded) Object.assign(info, { isForwarded: true, forwardingScore: 1 });
  return Object.keys(info).length > 0 ? { contextInfo: info } : {};
}

interface FileSample {
  bytes: (spec: FileSpec) => Buffer;
  mimetype: string;
}
const SAMPLES: Record<FileSpec["kind"] | "voice", FileSample> = {
  image: { bytes: (spec) => samplePng(spec.caption ?? "image"), mimetype: "image/png" },
  video: { bytes: sampleMp4, mimetype: "video/mp4" },
  audio: { bytes: (spec) => sampleWav(spec.kind === "audio" ? spec.seconds : 1), mimetype: "audio/wav" },
  voice: { bytes: sampleOgg, mimetype: "audio/ogg; codecs=opus" },
  document: { bytes: (spec) => samplePdf(spec.caption ?? "Document"), mimetype: "application/pdf" },
  sticker: { bytes: sampleWebp, mimetype: "image/webp" },
};

function fileContent(spec: FileSpec, context: ContentContext): Content {
  const sample = SAMPLES[spec.kind === "audio" && spec.voice ? "voice" : spec.kind];
  const plain =
    spec.base64 !== undefined
      ? Buffer.from(spec.base64, "base64")
      : spec.bytes !== undefined
        ? sampleBytes(spec.bytes)
        : sample.bytes(spec);
  const stored = context.media.put(spec.kind, plain);
  const shared = {
    ...placed(stored),
    mimetype: spec.mimetype ?? sample.mimetype,
    ...contextInfo(spec, context),
  };
  const caption = spec.caption ?? null;
  switch (spec.kind) {
    case "image":
      return viewed(spec, { imageMessage: { ...shared, caption, width: 32, height: 32 } }, "image");
    case "video":
      return viewed(spec, { videoMessage: { ...shared, caption, seconds: 1 } }, "video");
    case "audio":
      return {
        type: "media",
        mediaType: spec.voice ? "ptt" : "audio",
        message: { audioMessage: { ...shared, ptt: spec.voice, seconds: spec.seconds } },
      };
    case "document":
      return {
        type: "media",
        mediaType: "document",
        message: { documentMessage: { ...shared, caption, fileName: spec.fileName, title: spec.fileName } },
      };
    case "sticker":
      return { type: "media", mediaType: "sticker", message: { stickerMessage: shared } };
  }
}

const viewed = (spec: FileSpec, message: proto.IMessage, mediaType: string): Content => ({
  type: "media",
  mediaType,
  message: spec.viewOnce ? { viewOnceMessageV2: { message } } : message,
});

const placed = ({
  mediaKey,
  fileSha256,
  fileEncSha256,
  fileLength,
  directPath,
  url,
}: StoredMedia): proto.Message.IImageMessage => ({
  url,
  directPath,
  mediaKey,
  fileSha256,
  fileEncSha256,
  fileLength,
  mediaKeyTimestamp: Math.floor(Date.now() / 1000),
});

const vcard = ({ name, number }: Of<"contact">): string =>
  [
    "BEGIN:VCARD",
    "VERSION:3.0",
    `N:;${name};;;`,
    `FN:${name}`,
    `TEL;type=CELL;waid=${number}:+${number}`,
    "END:VCARD",
  ].join("\n");
