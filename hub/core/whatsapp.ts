/** Port to WhatsApp. Everything the hub asks of the library, and everything the library tells the hub. */
import type { Readable } from "node:stream";
import type { Jid } from "./jid.ts";
import type { Message, MessageMedia } from "./message.ts";

/** What the library just told us about one account. `session-state.ts` says what each means. */
export type SessionSignal =
  | { type: "qr"; qr: string; expiresAt: Date }
  | { type: "pairing_code"; code: string; expiresAt: Date }
  /** Scanned; WhatsApp asks for a new connection (its code 515). Credentials are already on disk. */
  | { type: "restart_required" }
  | { type: "opened"; phoneNumber: string; lid: Jid | null; pushName: string | null }
  /**
   * The connection ended; `code` is WhatsApp's or HTTP's number, `paired` whether credentials had an account, `until` the end of
   * a ban where WhatsApp named one.
   */
  | { type: "closed"; code: number; detail: string; paired: boolean; until?: Date | null }
  /** A key of the login is damaged and counts as absent; `kind` says what it is for, and nothing of whose it is. */
  | { type: "key_unreadable"; kind: string }
  /** The store failed under a socket: it was cut so that WhatsApp keeps the messages. */
  | { type: "store_failed"; cause: unknown };

/** What a caller wants to say. Media are a stream of plain bytes with what WhatsApp needs to know about them. */
export type OutgoingContent =
  | { kind: "text"; text: string; mentions: Jid[] }
  | { kind: "image" | "video"; file: OutgoingFile; caption: string | null }
  | { kind: "audio"; file: OutgoingFile; ptt: boolean }
  | { kind: "document"; file: OutgoingFile; caption: string | null }
  | { kind: "sticker"; file: OutgoingFile }
  | { kind: "location"; latitude: number; longitude: number; name: string | null; address: string | null }
  | { kind: "contacts"; displayName: string; vcards: string[] }
  | { kind: "poll"; name: string; values: string[]; selectableCount: number }
  | { kind: "reaction"; target: WhatsAppKey; emoji: string }
  | { kind: "edit"; target: WhatsAppKey; text: string }
  | { kind: "delete"; target: WhatsAppKey };

export interface OutgoingFile {
  /** Path of the plain file on disk. */
  path: string;
  mimetype: string;
  filename: string;
}

/** WhatsApp's own name of a message, with the chat as this account addresses it. */
export interface WhatsAppKey {
  chatId: Jid;
  id: string;
  fromMe: boolean;
  participant: Jid | null;
}

/** A message's name, and when it was written (Unix seconds). */
export interface MessageAt extends WhatsAppKey {
  timestamp: number;
}

/** What is changed of a chat on all devices of the account. */
export type ChatOrder =
  /** What was said up to `newest` goes into the archive, or comes out of it; null for an empty chat. */
  | { kind: "archive"; value: boolean; newest: MessageAt | null }
  | { kind: "pin"; value: boolean }
  /** Unix seconds; 0 = not muted, -1 = for ever. */
  | { kind: "mute"; until: number };

export type TypingState = "composing" | "recording" | "paused";

export interface SendOrder {
  chatId: Jid;
  messageId: string;
  content: OutgoingContent;
  /** The message quoted, as stored. */
  quoted: Message | null;
  /** Shown with WhatsApp's mark of a forwarded message. */
  isForwarded?: boolean;
}

/** What was heard on a connection so far. */
export interface LinkVitals {
  /** The last frame of any kind. */
  lastFrameAt: Date;
  /** The last thing that WhatsApp sent unasked: message, receipt, notification or call. Null before the first. */
  lastInboundAt: Date | null;
  /** Since when the library holds back what it would tell; null while it does not. */
  holdingSince: Date | null;
  /** History is on its way in, which may lie for long. */
  isImporting: boolean;
  /** Some of it could not be fetched so far, and lies open until it can. */
  isHistoryMissing: boolean;
}

/** For those who watch whether a connection that looks open still works. */
export interface LinkPulse {
  vitals(): LinkVitals;
  /** Asks WhatsApp's server for a sign of life; false when none came in time. */
  ping(timeoutMs: number): Promise<boolean>;
  /** Asks the own phone for a message that it has. Nobody sees it; the answer counts as inbound. */
  askPhone(message: MessageAt): Promise<void>;
  /** Lets go of what is held back, and stores what was left lying. */
  stir(): Promise<void>;
  /** Ends the connection as lost: the signal `closed` follows. */
  cut(detail: string): void;
}

/** Whether WhatsApp lets the account write first to people. */
export interface AccountRestriction {
  isActive: boolean;
  /** Null when WhatsApp does not say. */
  until: Date | null;
  /** WhatsApp's own word for the kind; new ones appear without notice. */
  type: string | null;
}

/** How many chats WhatsApp lets the account open in its current cycle. */
export interface NewChatAllowance {
  /** Null: it counts none. */
  total: number | null;
  used: number;
  /** End of the cycle; null when WhatsApp does not say. */
  until: Date | null;
  /** WhatsApp itself says that it is used up. */
  isReached: boolean;
}

/** What WhatsApp says about the account itself, asked or by itself. */
export interface AccountNews {
  restriction?: AccountRestriction;
  allowance?: NewChatAllowance;
}

/** One life of one socket. Every method fails with a HubError (`SESSION_NOT_CONNECTED`, `WHATSAPP_ERROR` …) it can name. */
export interface WhatsAppLink {
  /** Needs a link that showed its first QR code. Digits in, eight characters out. */
  requestPairingCode(phoneNumber: string): Promise<string>;
  /** Resolves when the message left for WhatsApp; the acknowledgement follows as a fact. Returns what was sent, as stored. */
  send(order: SendOrder): Promise<{ raw: string | null; media: Partial<MessageMedia> | null }>;
  markRead(keys: WhatsAppKey[]): Promise<void>;
  changeChat(chatId: Jid, order: ChatOrder): Promise<void>;
  /** Shows the other side that somebody writes, or stopped. */
  showTyping(chatId: Jid, state: TypingState): Promise<void>;
  block(jid: Jid, isBlocked: boolean): Promise<void>;
  /** Asks the phone for at most `count` messages of the chat that are older than this one; they arrive as history. */
  requestHistory(before: MessageAt, count: number): Promise<void>;
  /**
   * Plain bytes of a message's media; asks the phone for a new upload once when WhatsApp's copy expired, and fails with
   * `MEDIA_NOT_FOUND` when there is none to be had.
   */
  downloadMedia(message: Message): Promise<Readable>;
  /** Whether a number is on WhatsApp, and its addresses. */
  lookUp(phoneNumber: string): Promise<{ exists: boolean; jid: Jid | null; lid: Jid | null }>;
  /** Whether the account may write first to people. */
  restriction(): Promise<AccountRestriction>;
  /** How many chats it may still open. */
  newChatAllowance(): Promise<NewChatAllowance>;
  /** URL of the profile picture at WhatsApp, or null when there is none or it is hidden. */
  profilePictureUrl(jid: Jid): Promise<string | null>;
  /** What people say of themselves; null when they say nothing, or not to us. */
  about(jid: Jid): Promise<string | null>;
  /** Tells WhatsApp to unlink this device, then closes. */
  logout(): Promise<void>;
  /** Closes the socket and waits until nothing of it can write any more. Safe to call twice. */
  close(): Promise<void>;
  /** A fresh WhatsApp message id for this account; stored before anything is sent. */
  newMessageId(): string;
  readonly pulse: LinkPulse;
}

/**
 * The stored login cannot be used: unreadable, gone, or a copy of one that was replaced since. It is never taken for none:
 * whoever meets this puts it into quarantine, and only then begins anew.
 */
export class LoginDamaged extends Error {
  readonly damage: "unreadable" | "missing" | "superseded";

  constructor(damage: LoginDamaged["damage"], cause?: unknown) {
    super(`the stored login is ${damage}`, { cause });
    this.name = "LoginDamaged";
    this.damage = damage;
  }
}

export interface WhatsAppConnector {
  /**
   * Starts one connection with the stored credentials, or new ones that will ask to be scanned. Signals arrive in order
   * on `onSignal`, facts through the connector's `record`; after `closed` no more signals follow. A login from an older
   * copy goes on with new keys. @throws LoginDamaged
   */
  open(sessionId: string, onSignal: (signal: SessionSignal) => void): Promise<WhatsAppLink>;
  /** True when stored credentials can be read and belong to an account (a scan completed). */
  isPaired(sessionId: string): Promise<boolean>;
  /** Forgets what is kept in memory of a session between two connections. */
  forget(sessionId: string): void;
  /** Moves the credentials out of use (sealed copy kept by the store); the next `open` starts from nothing. */
  retireCredentials(sessionId: string, reason: string): Promise<void>;
}
