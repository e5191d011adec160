/** A WhatsApp message as the hub keeps it; `present.ts` tells how CRMs see it. */
import type { Jid } from "./jid.ts";
import type { MessageStatus } from "../contract/message-status.ts";

/** The contract's closed list; every kind WhatsApp has maps to the nearest of these. */
export const MESSAGE_TYPES = [
  "text",
  "image",
  "video",
  "audio",
  "document",
  "location",
  "contact",
  "sticker",
  "buttons",
  "list",
  "poll",
  "reaction",
] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

/**
 * `unknownKind` of a stand-in for a message that could not be decrypted (yet). When its content comes after all, it takes
 * the stand-in's place.
 */
export const UNDECRYPTABLE = "undecryptable";

/** A file that belongs to a message. Its bytes are fetched from WhatsApp on demand. */
export interface MessageMedia {
  /** `med_…`; assigned when the message is first recorded. */
  mediaId: string;
  /** Ends the short URL that works without a header. */
  token: string;
  filename: string;
  /** Bytes, as WhatsApp announces them. */
  filesize: number;
  mimetype: string;
  /** Base64, of the plain file. */
  sha256: string | null;
  /** Base64; what the download needs. */
  mediaKey: string | null;
  directPath: string | null;
  /** A voice note. */
  ptt: boolean;
}

export interface Reaction {
  from: Jid;
  fromMe: boolean;
  emoji: string;
  /** Unix seconds. */
  timestamp: number;
}

/** Unique by (sessionId, chatId, id, fromMe, participant). */
export interface Message {
  sessionId: string;
  chatId: Jid;
  /** WhatsApp's id. */
  id: string;
  fromMe: boolean;
  /** Who wrote it, in a group; null elsewhere and for our own. */
  participant: Jid | null;
  pushName: string | null;
  /** Unix seconds. */
  timestamp: number;
  type: MessageType;
  /** Text, caption, or a readable stand-in ("📍 …"); never null. */
  content: string;
  caption: string | null;
  media: MessageMedia | null;
  location: { latitude: number; longitude: number; name: string | null; address: string | null } | null;
  contacts: { name: string; vcard: string }[] | null;
  poll: { name: string; values: string[]; selectableCount: number } | null;
  quotedMessageId: string | null;
  mentions: Jid[];
  isForwarded: boolean;
  isStarred: boolean;
  status: MessageStatus;
  /** An own voice note that was listened to: `read`, and a little more. */
  isPlayed: boolean;
  /** Unix seconds. */
  editedAt: number | null;
  deletedAt: number | null;
  reactions: Reaction[];
  /** Label of the API client that sent it; null when it came from WhatsApp. */
  client: string | null;
  /** WhatsApp's own proto, base64: resends, forwards and kinds we do not know need it. */
  raw: string | null;
  /** WhatsApp's name of a kind outside the closed list, else null. */
  unknownKind: string | null;
}
