/**
 * Which document a message is: `message_id` is unique over all sessions and blind to case, while WhatsApp's ids are
 * neither. The first message of an id has it bare, one of another session as `<session>:<id>`, and where both are taken
 * a third form is used. Pure.
 */
import type { Message } from "../../records.ts";
import { addressOf, digest } from "./site.ts";
import { text, type Row } from "./field-values.ts";
import { readState, STATE_FIELD } from "./hub-state.ts";

type Key = Pick<Message, "chatId" | "messageId" | "fromMe" | "participant">;

/** The ids under which a message may be kept, best first. */
export const candidateIds = (
  sessionId: string,
  { chatId, messageId, fromMe, participant }: Key,
): [string, string, string] => [
  messageId,
  `${sessionId}:${messageId}`,
  `${sessionId}:${digest(addressOf(chatId), messageId, String(fromMe), participant ?? "")}`,
];

/** Under which the newest position told of a message is remembered. */
export const messageKey = (sessionId: string, { chatId, messageId, fromMe, participant }: Key): string =>
  `message|${sessionId}|${chatId}|${messageId}|${fromMe}|${participant ?? ""}`;

export const isOutgoing = (row: Row): boolean => text(row, "direction") === "Outgoing";

/** Documents by id as the site tells ids apart. */
export interface MessageRows {
  get(id: string): Row | undefined;
  /** Nobody has this id, in whatever spelling. */
  isFree(id: string): boolean;
  add(row: Row): void;
  all(): Row[];
}

export function messageRows(rows: Row[]): MessageRows {
  const byId = new Map<string, Row>();
  const add = (row: Row): unknown => byId.set(text(row, "message_id").toLowerCase(), row);
  rows.forEach(add);
  return {
    get: (id) => {
      const row = byId.get(id.toLowerCase());
      return row !== undefined && text(row, "message_id") === id ? row : undefined;
    },
    isFree: (id) => !byId.has(id.toLowerCase()),
    add,
    all: () => [...byId.values()],
  };
}

/** Those of the ids that a document has, in their order. */
export const withIds = (rows: MessageRows, ids: string[]): Row[] =>
  ids.map((id) => rows.get(id)).filter((row) => row !== undefined);

export interface Belonging {
  sessionName: string;
  chatId: string;
  /** Chat of each conversation that any of the rows names. */
  chats: Map<string, string>;
  /** The id under which a person is kept. */
  resolve: (id: string) => string;
}

/** The document is of this account and chat. */
export function isInChat(row: Row, { sessionName, chatId, chats }: Belonging): boolean {
  const of = chats.get(text(row, "conversation"));
  return text(row, "session") === sessionName && (of === undefined || addressOf(of) === addressOf(chatId));
}

/** The document is the very message: same account, chat, side and, in groups, person. */
export function findMessage(
  rows: MessageRows,
  ids: string[],
  message: Pick<Message, "fromMe" | "participant">,
  of: Belonging,
): Row | undefined {
  return withIds(rows, ids).find((row) => {
    const { participant } = readState(row[STATE_FIELD]);
    const isSamePerson =
      participant === undefined ||
      message.participant === null ||
      of.resolve(participant) === of.resolve(message.participant);
    return isInChat(row, of) && isOutgoing(row) === message.fromMe && isSamePerson;
  });
}
