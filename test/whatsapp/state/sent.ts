/** What the program under test sent, as its recipients decrypted it. */
import type { proto } from "@whiskeysockets/baileys/WAProto/index.js";

export interface SentMessage {
  n: number;
  id: string;
  account: string;
  device: number;
  /** Number of the recipient, or the group's id. */
  to: string;
  group: boolean;
  /** Who decrypted it: a contact's number. */
  readBy: string;
  at: number;
  kind: string;
  text?: string | undefined;
  /** The message as decrypted, in protobuf's JSON form. */
  message: unknown;
  /** Attributes of the stanza that tell kinds apart. */
  edit?: string | undefined;
  /** Set when it is an answer to a retry receipt. */
  resend: boolean;
  /** Decrypted attachment, if it lies on the media server and its MAC is right. */
  media?: { kind: string; bytes: number; sha256: string } | undefined;
}

export interface SentQuery {
  account?: string | undefined;
  to?: string | undefined;
  id?: string | undefined;
  after?: number | undefined;
  limit?: number | undefined;
}

export interface SentMessages {
  add(message: Omit<SentMessage, "n">): SentMessage;
  query(query: SentQuery): SentMessage[];
  count(account?: string): number;
  clear(account?: string): void;
}

/** protobuf's own JSON: bytes become base64, enums names. */
export const readable = (message: proto.Message): unknown => message.toJSON();

const DEFAULT_LIMIT = 1000;

export function createSentMessages(): SentMessages {
  let messages: SentMessage[] = [];
  let last = 0;
  const of = (account: string | undefined): SentMessage[] =>
    account === undefined ? messages : messages.filter((message) => message.account === account);
  return {
    add(message) {
      const numbered = { n: ++last, ...message };
      messages.push(numbered);
      return numbered;
    },
    query: ({ account, to, id, after = 0, limit = DEFAULT_LIMIT }) =>
      of(account)
        .filter((message) => message.n > after && (id === undefined || message.id === id) && (to === undefined || message.to === to))
        .slice(0, limit),
    count: (account) => of(account).length,
    clear: (account) => void (messages = account === undefined ? [] : messages.filter((m) => m.account !== account)),
  };
}
