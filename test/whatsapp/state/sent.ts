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
  /** The chat as the program called it. */
  toJid: string;
  /** Who decrypted it: a contact's number. */
  readBy: string;
  at: number;
  kind: string;
  text?: string | undefined;
  /** The message as decrypted, in protobuf's JSON form. */
  message: unknown;
  /** Attributes of the stanza that tell kinds apart. */
  edit?: string | undefined;
  /** It came as the answer to a retry receipt. */
  resend: boolean;
  /** How often this recipient got it; a phone shows an id once, however often it comes. */
  times: number;
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
  /** Undefined: this recipient has it already. */
  add(message: Omit<SentMessage, "n" | "times">): SentMessage | undefined;
  has(account: string, id: string): boolean;
  query(query: SentQuery): SentMessage[];
  clear(account?: string): void;
}

/** protobuf's own JSON: bytes become base64, enums names. */
export const readable = (message: proto.Message): unknown => message.toJSON();

const DEFAULT_LIMIT = 1000;

export function createSentMessages(): SentMessages {
  let messages: SentMessage[] = [];
  let byId = new Map<string, SentMessage[]>();
  let last = 0;
  const key = ({ account, id }: Pick<SentMessage, "account" | "id">): string => `${account} ${id}`;
  const index = (message: SentMessage): void => {
    byId.set(key(message), [...(byId.get(key(message)) ?? []), message]);
  };

  return {
    add(fresh) {
      const known = byId.get(key(fresh))?.find(({ readBy }) => readBy === fresh.readBy);
      if (known) {
        known.times += 1;
        return undefined;
      }
      const message = { n: ++last, ...fresh, times: 1 };
      messages.push(message);
      index(message);
      return message;
    },
    has: (account, id) => byId.has(key({ account, id })),
    query({ account, to, id, after = 0, limit = DEFAULT_LIMIT }) {
      const candidates =
        account !== undefined && id !== undefined ? (byId.get(key({ account, id })) ?? []) : messages;
      return candidates
        .filter(
          (message) =>
            message.n > after &&
            (account === undefined || message.account === account) &&
            (id === undefined || message.id === id) &&
            (to === undefined || message.to === to),
        )
        .slice(0, limit);
    },
    clear(account) {
      messages = account === undefined ? [] : messages.filter((message) => message.account !== account);
      byId = new Map();
      for (const message of messages) index(message);
    },
  };
}
