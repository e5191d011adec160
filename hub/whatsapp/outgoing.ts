/** What a caller wants to say → what Baileys sends. */
import type { Message, MessageMedia } from "../core/message.ts";
import type { OutgoingContent, WhatsAppKey } from "../core/whatsapp.ts";
import { proto, type AnyMessageContent, type WAMessage, type WAMessageKey } from "./baileys.ts";
import { contentOf } from "./translate/content.ts";
import { unwrap } from "./translate/unwrap.ts";

export const keyOf = ({ chatId, id, fromMe, participant }: WhatsAppKey): WAMessageKey => ({
  remoteJid: chatId,
  id,
  fromMe,
  ...(participant === null ? {} : { participant }),
});

export function outgoing(content: OutgoingContent): AnyMessageContent {
  switch (content.kind) {
    case "text":
      return {
        text: content.text,
        // Looking for a preview means fetching what the text points to.
        linkPreview: null,
        ...(content.mentions.length === 0 ? {} : { mentions: content.mentions }),
      };
    case "image":
      return { image: fileOf(content.file), mimetype: content.file.mimetype, ...captionOf(content.caption) };
    case "video":
      return { video: fileOf(content.file), mimetype: content.file.mimetype, ...captionOf(content.caption) };
    case "audio":
      return { audio: fileOf(content.file), mimetype: content.file.mimetype, ptt: content.ptt };
    case "document":
      return {
        document: fileOf(content.file),
        mimetype: content.file.mimetype,
        fileName: content.file.filename,
        ...captionOf(content.caption),
      };
    case "sticker":
      return { sticker: fileOf(content.file), mimetype: content.file.mimetype };
    case "location":
      return {
        location: {
          degreesLatitude: content.latitude,
          degreesLongitude: content.longitude,
          ...(content.name === null ? {} : { name: content.name }),
          ...(content.address === null ? {} : { address: content.address }),
        },
      };
    case "contacts":
      return {
        contacts: {
          displayName: content.displayName,
          contacts: content.vcards.map((vcard) => ({ vcard })),
        },
      };
    case "poll":
      return {
        poll: { name: content.name, values: content.values, selectableCount: content.selectableCount },
      };
    case "reaction":
      return { react: { text: content.emoji, key: keyOf(content.target) } };
    case "edit":
      return { text: content.text, linkPreview: null, edit: keyOf(content.target) };
    case "delete":
      return { delete: keyOf(content.target) };
  }
}

const fileOf = ({ path }: { path: string }): { url: string } => ({ url: path });
const captionOf = (caption: string | null): { caption?: string } => (caption === null ? {} : { caption });

/** The stored message as Baileys wants it for a quote: without its proto, what it says is enough. */
export function quotedMessage(message: Message): WAMessage {
  return {
    key: keyOf(message),
    message: protoOf(message) ?? { conversation: message.content },
    messageTimestamp: message.timestamp,
  };
}

/** WhatsApp's own proto of a stored message. */
export const protoOf = ({ raw }: Pick<Message, "raw">): proto.IMessage | null =>
  raw === null ? null : proto.Message.decode(Buffer.from(raw, "base64"));

/** What was sent, as the store keeps it. */
export function asSent(sent: WAMessage | undefined): {
  raw: string | null;
  media: Partial<MessageMedia> | null;
} {
  if (!sent?.message) return { raw: null, media: null };
  const raw = Buffer.from(proto.Message.encode(sent.message).finish()).toString("base64");
  const inner = unwrap(sent.message);
  const media = inner === null ? null : (contentOf(inner)?.media ?? null);
  if (media === null) return { raw, media: null };
  // Ids, token and name are the hub's own; only what WhatsApp made of the file is news.
  const { filesize, mimetype, sha256, mediaKey, directPath, ptt } = media;
  return { raw, media: { filesize, mimetype, sha256, mediaKey, directPath, ptt } };
}
