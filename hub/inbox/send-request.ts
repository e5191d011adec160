/** What a caller wants sent, already parsed: the typed side of every send body, whatever dialect it came in. */

/** Where the bytes of a file come from. A path on the hub's own disk is no source. */
export type MediaSource =
  | { from: "url"; url: string }
  | { from: "media"; mediaId: string }
  /** Base64 or a Buffer in the body; `mimetype` is what the caller claims. */
  | { from: "bytes"; bytes: Uint8Array; mimetype: string | null };

export type SendContent =
  | { kind: "text"; text: string }
  | { kind: "image" | "video"; source: MediaSource; caption: string | null }
  /** `voice`: a voice note when the file is ogg/opus, plain audio otherwise. */
  | { kind: "audio"; source: MediaSource; voice: boolean }
  | {
      kind: "document";
      source: MediaSource;
      fileName: string | null;
      mimetype: string | null;
      caption: string | null;
    }
  | { kind: "sticker"; source: MediaSource }
  | { kind: "location"; latitude: number; longitude: number; name: string | null; address: string | null }
  | { kind: "contact"; displayName: string | null; contacts: ContactCard[] }
  | { kind: "poll"; name: string; values: string[]; selectableCount: number }
  /** An empty emoji takes the reaction back. */
  | { kind: "reaction"; messageId: string; emoji: string };

/** A ready vCard, or what one is made of. */
export type ContactCard = { vcard: string } | { name: string; phone: string };

/** How the calling key writes national numbers. */
export interface Numbering {
  defaultCountry: string | null;
  nationalDigits: number | null;
}

/** What every order to WhatsApp says about its origin. */
export interface SendOrigin {
  sessionId: string;
  /** Label of the API client; decides which endpoints hear about the message and how. */
  client: string | null;
  numbering: Numbering;
  /** WhatsApp id kept by an idempotency claim; a repeat after a crash finds its first send by it. */
  reservedId?: string | undefined;
}

export interface SendRequest extends SendOrigin {
  /** As the caller wrote it: a number, a JID, a LID, a group. */
  to: string;
  content: SendContent;
  quotedMessageId: string | null;
  mentions: string[];
  /** Keep it while the session is not connected, instead of refusing. */
  queue: boolean;
  /** How long it may wait to be sent; null for the default of an hour. At most a day. */
  ttlSeconds: number | null;
}

/** Points at a stored message by WhatsApp's id; `chatId` (as written) narrows it. */
export interface MessageTarget {
  messageId: string;
  chatId: string | null;
}
