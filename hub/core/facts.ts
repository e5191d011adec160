/** What WhatsApp told us, as data: the only thing `inbox.record` writes down. Addresses may be raw; the store maps them. */
import type { Jid } from "./jid.ts";
import type { Message } from "./message.ts";
import type { MessageStatus } from "../contract/message-status.ts";

/** Points at a message; `fromMe` and `participant` are left out where WhatsApp does not tell. */
export interface MessageRef {
  chatId: Jid;
  id: string;
  fromMe?: boolean;
  participant?: Jid | null;
}

export type Fact =
  /** `live` is false for history: stored, but no event is owed. */
  | { kind: "message"; message: Message; live: boolean }
  | { kind: "edit"; target: MessageRef; content: string; at: number; raw: string | null }
  | { kind: "revoke"; target: MessageRef; by: Jid; at: number; forEveryone: boolean }
  /** `emoji` is empty when the reaction was taken back. `live` is false for history: told where its message was known before. */
  | {
      kind: "reaction";
      target: MessageRef;
      from: Jid;
      fromMe: boolean;
      emoji: string;
      atMs: number;
      live: boolean;
    }
  /** A rise of own messages' status; `code` and `error` only with `failed`, `isPlayed` only with `read`. */
  | {
      kind: "status";
      chatId: Jid;
      ids: string[];
      status: MessageStatus;
      at: number;
      participant: Jid | null;
      isPlayed?: true;
      code?: string;
      error?: string;
    }
  /** The two addresses of one person. */
  | { kind: "lid"; lid: Jid; phone: Jid }
  /** Only the members that are given change. */
  | { kind: "contact"; jid: Jid; lid?: Jid | null; change: ContactChange; live: boolean }
  /** When WhatsApp was asked for picture and about (Unix milliseconds); null: what it said then is out of date. */
  | { kind: "profile"; jid: Jid; lookedUpAt: number | null }
  | { kind: "chat"; jid: Jid; change: ChatChange; live: boolean }
  /** A chat was read on another device: its unread count is zero. */
  | { kind: "chat-read"; jid: Jid }
  | { kind: "group"; jid: Jid; subject: string | null; change?: GroupChange; by: Jid | null; live: boolean }
  | {
      kind: "participants";
      jid: Jid;
      action: "add" | "remove" | "promote" | "demote";
      participants: Jid[];
      by: Jid | null;
    }
  | {
      kind: "call";
      callId: string;
      from: Jid;
      isVideo: boolean;
      isGroup: boolean;
      status: string;
      at: number;
    }
  /**
   * A chunk of history is complete. `import`: it belongs to what follows linking; else somebody asked for it. `done`: it is the
   * last one of its kind; others, with lower numbers, may still come. Without a number it speaks for all.
   */
  | {
      kind: "history";
      syncType: string;
      progress: number | null;
      import: boolean;
      done: boolean;
      piece: HistoryPiece | null;
    }
  /** Nothing more of the import has come for a while. `lacking`: some piece was announced and is not there. */
  | { kind: "history-paused"; lacking: boolean };

export interface HistoryPiece {
  /** Each login is sent a history of its own. */
  login: string;
  /** Among those of its kind, from 1. */
  order: number;
}

export interface ContactChange {
  name?: string | null;
  pushName?: string | null;
  verifiedName?: string | null;
  about?: string | null;
  pictureToken?: string | null;
  isMyContact?: boolean;
  isBlocked?: boolean;
  isBusiness?: boolean;
}

/** Of a group, beside its subject. Only the members that are given change. */
export interface GroupChange {
  description?: string | null;
  owner?: Jid;
  /** Unix seconds. */
  createdAt?: number;
  /** Only admins may write. */
  announce?: boolean;
  /** Only admins may change the subject, the picture and the description. */
  restrict?: boolean;
  /** After so long messages disappear; 0: they stay. */
  ephemeralSeconds?: number;
}

export interface ChatChange {
  name?: string | null;
  unreadCount?: number;
  archived?: boolean;
  pinned?: boolean;
  muteExpiration?: number;
  isReadOnly?: boolean;
  /** From history: when the last message was, for chats whose messages did not come. */
  lastMessageAt?: number;
  /** From history: whether the phone has messages older than those it sent. */
  hasOlder?: boolean;
}
