/** A stored message → content that can be sent again: for a retry of a failed one and for forwarding. */
import { HubError } from "../core/errors.ts";
import type { Message, MessageMedia } from "../core/message.ts";
import type { KeptContent } from "./send-order.ts";

const fileOf = ({ mediaId, mimetype, filename }: MessageMedia) => ({ mediaId, mimetype, filename });

/** @throws HubError STATE_CONFLICT for kinds that only their author can send. */
export function keptContent(message: Message): KeptContent {
  const isWhole = message.unknownKind === null && message.deletedAt === null;
  const content = isWhole ? (plain(message) ?? withFile(message)) : null;
  if (content !== null) return content;
  throw new HubError("STATE_CONFLICT", "A message of this kind cannot be sent again.", {
    details: { messageId: message.id, type: message.type, deleted: message.deletedAt !== null },
  });
}

function plain({ type, content, location, contacts, poll }: Message): KeptContent | null {
  if (type === "text") return { kind: "text", text: content };
  if (type === "location" && location) return { kind: "location", ...location };
  if (type === "contact" && contacts) return contactsOf(contacts);
  if (type === "poll" && poll) return { kind: "poll", ...poll };
  return null;
}

function withFile({ type, media, caption }: Message): KeptContent | null {
  if (media === null) return null;
  const file = fileOf(media);
  if (type === "image" || type === "video" || type === "document") return { kind: type, file, caption };
  if (type === "audio") return { kind: "audio", file, ptt: media.ptt };
  return type === "sticker" ? { kind: "sticker", file } : null;
}

const contactsOf = (contacts: { name: string; vcard: string }[]): KeptContent => ({
  kind: "contacts",
  displayName: contacts[0]?.name ?? "Contact",
  contacts,
});
