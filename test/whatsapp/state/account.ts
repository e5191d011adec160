/** One WhatsApp account: the phone's owner, the address book, the devices linked to it, and how its world behaves. */
import type { AppState } from "../crypto/app-state.ts";
import type { Companion } from "./companion.ts";
import type { Addressing, Person } from "./people.ts";

export interface AccountOptions {
  /** How contacts address this account in one-to-one chats. */
  addressing: Addressing;
  /** Milliseconds after which contacts confirm delivery of what they were sent; null: never. */
  deliveryReceiptMs: number | null;
  /** …and reading; null: never. */
  readReceiptMs: number | null;
  /** Text that contacts answer with; null: they do not. */
  autoReply: string | null;
  autoReplyMs: number;
  /** History within the message, or as a download from the media server. */
  history: "inline" | "download";
  /** Messages in one history chunk. */
  historyChunk: number;
  /** Address-book names in app state as patches, or as a snapshot to download. */
  appState: "patches" | "snapshot";
  /** Name of a WhatsApp Business account; null: an ordinary one. */
  businessName: string | null;
}

export const DEFAULT_ACCOUNT_OPTIONS: AccountOptions = {
  addressing: "lid",
  deliveryReceiptMs: 20,
  readReceiptMs: null,
  autoReply: null,
  autoReplyMs: 50,
  history: "inline",
  historyChunk: 500,
  appState: "patches",
  businessName: null,
};

export interface Account {
  readonly number: string;
  /** The phone is this person's first device. */
  readonly owner: Person;
  readonly options: AccountOptions;
  /** Number → name in the address book. */
  readonly addressBook: Map<string, string>;
  readonly companions: Map<number, Companion>;
  readonly appState: AppState;
  readonly blocked: Set<string>;
  readonly privacy: Map<string, string>;
  nextDevice: number;
  standing: Standing;
  /** Sends its history to a companion that has just been linked. */
  history: HistorySource;
}

/** What WhatsApp lets the account do. */
export interface Standing {
  /** No new chats until then (unix seconds). */
  timelock?: { until: number; type: string } | undefined;
  /** How many new chats may be written to. */
  newChats?: { total: number; used: number; status: string; until?: number | undefined } | undefined;
}

/** Made from a data set; its own module knows how. */
export interface HistorySource {
  contacts: number;
  chats: number;
  messages: number;
  /** All of it, the app state key first; or some chunks alone, in the order given. */
  sendTo(companion: Companion, chunks?: number[]): void;
  /** Answer to a companion that asks for what lies before one of a chat's messages. */
  sendBefore(companion: Companion, asked: { chatJid: string; messageId: string; count: number }): void;
  /** What there is, for those who compare. */
  view(): HeldChat[];
}

export interface HeldChat {
  jid: string;
  /** Newest first. `author` is a number, `at` in unix seconds. */
  messages: { id: string; at: number; fromMe: boolean; author: string; kind: string; text: string }[];
}

export const linkedCompanions = (account: Account): Companion[] =>
  [...account.companions.values()].filter((companion) => companion.state === "linked");

/** The companion that tests mean when they name only an account: the one linked last. */
export const currentCompanion = (account: Account): Companion | undefined => linkedCompanions(account).at(-1);
