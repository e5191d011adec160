/** An accepted send as the message it will be: what is stored and told before anything leaves. */
import type { Jid } from "../core/jid.ts";
import { newToken } from "../core/ids.ts";
import type { Message, MessageMedia } from "../core/message.ts";
import type { KeptContent } from "./send-order.ts";
import type { PreparedFile } from "./outgoing-files.ts";

export interface OutgoingMessage {
  sessionId: string;
  chatId: Jid;
  id: string;
  /** Unix seconds. */
  timestamp: number;
  content: KeptContent;
  /** The file of `content`, when it has one. */
  file: PreparedFile | null;
  quotedMessageId: string | null;
  mentions: Jid[];
  isForwarded: boolean;
  client: string | null;
}

export function outgoingMessage(send: OutgoingMessage): Message {
  const { content, file } = send;
  const caption = "caption" in content && content.caption !== "" ? content.caption : null;
  return {
    sessionId: send.sessionId,
    chatId: send.chatId,
    id: send.id,
    fromMe: true,
    participant: null,
    pushName: null,
    timestamp: send.timestamp,
    type: content.kind === "contacts" ? "contact" : content.kind,
    content: readable(content),
    caption,
    media: file && mediaOf(file, content.kind === "audio" && content.ptt),
    location: content.kind === "location" ? placeOf(content) : null,
    contacts: content.kind === "contacts" ? content.contacts : null,
    poll: content.kind === "poll" ? pollOf(content) : null,
    quotedMessageId: send.quotedMessageId,
    mentions: send.mentions,
    isForwarded: send.isForwarded,
    isStarred: false,
    status: "pending",
    isPlayed: false,
    editedAt: null,
    deletedAt: null,
    reactions: [],
    client: send.client,
    raw: null,
    unknownKind: null,
  };
}

/** The text of a message, or a line that stands for what has none. */
function readable(content: KeptContent): string {
  switch (content.kind) {
    case "text":
      return content.text;
    case "image":
    case "video":
    case "document":
      return content.caption ?? "";
    case "audio":
    case "sticker":
      return "";
    case "location":
      return `📍 ${nameOf(content)}`;
    case "contacts":
      return `👤 ${content.contacts.map(({ name }) => name).join(", ")}`;
    case "poll":
      return `📊 ${content.name}`;
  }
}

function nameOf({ name, address, latitude, longitude }: KeptContent & { kind: "location" }): string {
  const words = [name, address].filter((part) => part).join(", ");
  return words === "" ? `${latitude}, ${longitude}` : words;
}

const mediaOf = (file: PreparedFile, ptt: boolean): MessageMedia => ({
  mediaId: file.mediaId,
  token: newToken(),
  filename: file.filename,
  filesize: file.size,
  mimetype: file.mimetype,
  sha256: file.sha256,
  mediaKey: null,
  directPath: null,
  ptt,
});

const placeOf = ({ latitude, longitude, name, address }: KeptContent & { kind: "location" }) => ({
  latitude,
  longitude,
  name,
  address,
});

const pollOf = ({ name, values, selectableCount }: KeptContent & { kind: "poll" }) => ({
  name,
  values,
  selectableCount,
});
