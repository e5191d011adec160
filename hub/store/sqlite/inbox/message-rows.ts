/** Rows of messages ↔ `Message`. */
import { isLidJid, type Jid } from "../../../core/jid.ts";
import type { MessageStatus } from "../../../contract/message-status.ts";
import type { Message, MessageType, Reaction } from "../../../core/message.ts";
import { fromJson, toJson } from "../json.ts";

export interface MessageRow {
  n: number;
  session: number;
  chat: number;
  chat_jid: Jid;
  id: string;
  from_me: number;
  participant: string;
  ts: number;
  type: MessageType;
  status: number;
  content: string;
  rest: string;
  reactions: string | null;
}

/** With `m` for the message and `c` for its chat. */
export const MESSAGE_COLUMNS =
  "m.n, m.session, m.chat, c.jid AS chat_jid, m.id, m.from_me, m.participant, m.ts, m.type, m.status, m.content, m.rest, m.reactions";

/** Numbers of the column; triggers count by them, so they never change. */
const STATUS_NUMBER: Record<MessageStatus, number> = {
  pending: 1,
  failed: 2,
  sent: 3,
  delivered: 4,
  read: 5,
  deleted: 6,
};
const STATUSES: MessageStatus[] = ["pending", "failed", "sent", "delivered", "read", "deleted"];

export const statusNumber = (status: MessageStatus): number => STATUS_NUMBER[status];

export function statusOfNumber(number: number): MessageStatus {
  const status = STATUSES[number - 1];
  if (status === undefined) throw new Error(`no message status ${number}`);
  return status;
}

/** Members nobody filters by. Those that say nothing are left out of the JSON. */
const REST = [
  "pushName",
  "caption",
  "media",
  "location",
  "contacts",
  "poll",
  "quotedMessageId",
  "mentions",
  "isForwarded",
  "isStarred",
  "isPlayed",
  "editedAt",
  "deletedAt",
  "client",
  "unknownKind",
] as const;
type Rest = Pick<Message, (typeof REST)[number]>;

export function restJson(message: Rest): string {
  const said = REST.filter((name) => {
    const value = message[name];
    return value !== null && value !== false && !(name === "mentions" && message.mentions.length === 0);
  });
  return toJson(Object.fromEntries(said.map((name) => [name, message[name]])));
}

/** A reaction as it is kept; one that was taken back stays, without emoji, so that an older one cannot come back. */
export interface StoredReaction {
  from: Jid;
  fromMe: boolean;
  emoji: string;
  atMs: number;
}

export const reactionsOf = (row: Pick<MessageRow, "reactions">): StoredReaction[] =>
  row.reactions === null ? [] : fromJson<StoredReaction[]>(row.reactions);

export interface RowContext {
  sessionId: string;
  /** Address of a person as known now: reactions keep the one they came with. */
  map: (jid: Jid) => Jid;
}

export function toMessage(
  row: MessageRow,
  { sessionId, map }: RowContext,
  raw: string | null = null,
): Message {
  const rest = fromJson<Partial<Rest>>(row.rest);
  return {
    sessionId,
    chatId: row.chat_jid,
    id: row.id,
    fromMe: row.from_me === 1,
    participant: row.participant === "" ? null : row.participant,
    pushName: null,
    timestamp: row.ts,
    type: row.type,
    content: row.content,
    caption: null,
    media: null,
    location: null,
    contacts: null,
    poll: null,
    quotedMessageId: null,
    mentions: [],
    isForwarded: false,
    isStarred: false,
    status: statusOfNumber(row.status),
    isPlayed: false,
    editedAt: null,
    deletedAt: null,
    client: null,
    unknownKind: null,
    ...rest,
    reactions: reactionsOf(row)
      .filter(({ emoji }) => emoji !== "")
      .map(toReaction(map)),
    raw,
  };
}

const toReaction =
  (map: (jid: Jid) => Jid) =>
  ({ from, fromMe, emoji, atMs }: StoredReaction): Reaction => ({
    from: isLidJid(from) ? map(from) : from,
    fromMe,
    emoji,
    timestamp: Math.floor(atMs / 1000),
  });
