/** Messages of one chat, told whole: new ones with their chat, known ones brought up to date. */
import type { Batch, WriteResult } from "../../adapter.ts";
import type { Message } from "../../records.ts";
import type { Authors } from "./author-links.ts";
import type { Contacts } from "./contacts.ts";
import { bareChat, personOf, type Conversations } from "./conversations.ts";
import { differing, idProblem, isEmpty, text, type Fields, type Row } from "./field-values.ts";
import { readState, STATE_FIELD, writeState } from "./hub-state.ts";
import { createLasts } from "./last-message.ts";
import type { MediaCopy } from "./media-copy.ts";
import type { Answers } from "./late-answers.ts";
import { changesByMessage, MESSAGE_FIELDS, newMessage, type Links } from "./message-fields.ts";
import {
  candidateIds,
  findMessage,
  isInChat,
  messageKey,
  messageRows,
  withIds,
  type Belonging,
  type MessageRows,
} from "./message-identity.ts";
import { changedMedia, mediaItems } from "./message-media.ts";
import type { Sessions } from "./sessions.ts";
import { isPerson, MESSAGE, type Site } from "./site.ts";
import type { SiteRefusal } from "./site-answer.ts";
import type { SiteTime } from "./site-time.ts";
import type { Update } from "./site-tables.ts";
import { rejected, type Insert } from "./write-many.ts";

export interface MessageBatch extends Batch<Message> {
  chatId: string;
  /** The id under which a person is kept. */
  resolve: (id: string) => string;
}

export interface Messages {
  /** The caller holds the lane of the chat. */
  upsert(batch: MessageBatch): Promise<WriteResult[]>;
  rowsOf(ids: string[]): Promise<MessageRows>;
  chatsOf(rows: MessageRows): Promise<Map<string, string>>;
}

export function createMessages(
  site: Site,
  parts: {
    sessions: Sessions;
    contacts: Contacts;
    authors: Authors;
    answers: Answers;
    conversations: Conversations;
    media: MediaCopy | null;
  },
): Messages {
  const { tables, writes, positions } = site;
  const { sessions, contacts, authors, answers, conversations, media } = parts;
  const lasts = createLasts(site);

  const rowsOf = async (ids: string[]): Promise<MessageRows> => {
    const unique = [...new Set(ids)];
    if (unique.length === 0) return messageRows([]);
    const rows = await tables.list(MESSAGE, {
      fields: MESSAGE_FIELDS,
      filters: [["message_id", "in", unique]],
      orderBy: "creation asc",
      limit: unique.length,
    });
    return messageRows(rows);
  };

  const chatsOf = (rows: MessageRows): Promise<Map<string, string>> =>
    conversations.chatIdsOf([...new Set(rows.all().map((row) => text(row, "conversation")))]);

  const upsert = async (batch: MessageBatch): Promise<WriteResult[]> => {
    const { sessionId, chatId, position, resolve } = batch;
    const { items, results } = possible(batch);
    if (items.length === 0) return results;

    const sessionName = await sessions.nameOf(sessionId);
    const time = await site.time();
    const found = await conversationFor(sessionName, chatId, batch.items);
    if ("refused" in found) {
      for (const { index } of items) results[index] = { outcome: "rejected", error: found.refused };
      return results;
    }
    const conversation = text(found.row, "name");
    const rows = await rowsOf(
      items.flatMap(({ message }) => [...candidateIds(sessionId, message), ...quotedIds(sessionId, message)]),
    );
    const people = [chatId, ...items.flatMap(({ message }) => message.participant ?? [])].filter(isPerson);
    const contactNames = await contactsOf(people, found.row);
    const of: Belonging = { sessionName, chatId, chats: await chatsOf(rows), resolve };
    const updates: (Update & { index: number })[] = [];
    const copied = new Set<number>();
    let inserts: (Insert & { index: number; id: string })[] = [];

    for (const { message, index } of items) {
      const candidates = candidateIds(sessionId, message);
      // A reply links the message it answers, which may be waiting in this very batch; so may its own copy.
      if (inserts.some(({ id }) => id === message.quotedMessageId || candidates.includes(id))) await flush();
      const contact = contactNames.get(message.participant ?? chatId);
      const quoted = quotedName(message);
      const row = findMessage(rows, candidates, message, of);
      if (row !== undefined) {
        answers.waits(message, batch, row);
        const changes = await changesOf(row, message, { contact, quoted });
        if (readState(row[STATE_FIELD]).isCopied === true) copied.add(index);
        results[index] = { outcome: "unchanged", id: text(row, "name") };
        if (!isEmpty(changes)) updates.push({ index, name: text(row, "name"), changes });
        continue;
      }
      const links = { sessionName, conversation, contact, quoted };
      const fieldsAs = (id: string): Fields => newMessage(message, id, links, { time, position });
      const id = candidates.find(rows.isFree) ?? candidates[2];
      inserts.push({
        index,
        id,
        key: messageKey(sessionId, message),
        fields: fieldsAs(id),
        whenTaken: (refusal) => insertBeside(refusal, message, fieldsAs),
        done: (name) => {
          const made = { ...fieldsAs(id), name };
          rows.add(made);
          answers.waits(message, batch, made);
          authors.written(message, made);
          of.chats.set(conversation, chatId);
          positions.shown(messageKey(sessionId, message), position);
        },
      });
    }
    await flush();
    await answers.link(batch, results);
    (await writes.updateAll(MESSAGE, updates)).forEach((result, n) => {
      results[updates[n]?.index ?? -1] = result;
    });
    await media?.copyMissing(batch.items, results, copied);
    await advance(found.row, batch, results, time);
    return results;

    async function flush(): Promise<void> {
      const waiting = inserts;
      inserts = [];
      (await writes.insertAll(MESSAGE, waiting)).forEach((result, n) => {
        results[waiting[n]?.index ?? -1] = result;
      });
    }

    function quotedName(message: Message): string | undefined {
      const row = withIds(rows, quotedIds(sessionId, message)).find((one) => isInChat(one, of));
      return row === undefined ? undefined : text(row, "name");
    }

    /** Empty when the document says so already. */
    async function changesOf(
      row: Row,
      message: Message,
      links: Pick<Links, "contact" | "quoted">,
    ): Promise<Fields> {
      const key = messageKey(sessionId, message);
      const isStale = positions.isStale(key, position, readState(row[STATE_FIELD]).position);
      positions.shown(key, position);
      const hasState = !tables.lacks(MESSAGE, STATE_FIELD);
      const changes = changesByMessage(row, message, links, { time, position, isStale, hasState, resolve });
      const files = changedMedia(row, message, changes);
      if (files === "removal") changes["media_items"] = [];
      if (files === "items")
        changes["media_items"] = mediaItems(message, {
          file: (await media?.fileOf(text(row, "name"))) ?? null,
          mediaId: readState(row[STATE_FIELD]).mediaId,
        });
      return changes;
    }

    /** Somebody took the id since it was looked up: this message's own copy, or another message. */
    async function insertBeside(
      refusal: SiteRefusal,
      message: Message,
      fieldsAs: (id: string) => Fields,
    ): Promise<WriteResult> {
      const candidates = candidateIds(sessionId, message);
      const now = await rowsOf(candidates);
      const owned = findMessage(now, candidates, message, { ...of, chats: await chatsOf(now) });
      if (owned !== undefined) {
        const changes = await changesOf(owned, message, { contact: undefined, quoted: undefined });
        const name = text(owned, "name");
        return isEmpty(changes)
          ? { outcome: "unchanged", id: name }
          : writes.updateOne(MESSAGE, { name, changes });
      }
      const free = candidates.find(now.isFree);
      if (free === undefined) return rejected(refusal);
      const again: Insert = {
        key: messageKey(sessionId, message),
        fields: fieldsAs(free),
        whenTaken: (twice) => Promise.resolve(rejected(twice)),
      };
      return (await writes.insertAll(MESSAGE, [again]))[0] ?? rejected(refusal);
    }
  };

  /** Another account may have merged the contact of a chat that has its hidden id here. */
  const contactsOf = async (people: string[], conversation: Row): Promise<Map<string, string>> => {
    const names = await contacts.find([...new Set(people)]);
    const [chatId, linked] = [text(conversation, "chat_id"), text(conversation, "contact")];
    if (linked !== "" && !names.has(chatId)) names.set(chatId, linked);
    return names;
  };

  /** The chat's document, made if need be; the reason when the site refuses it. */
  const conversationFor = async (
    sessionName: string,
    chatId: string,
    items: Message[],
  ): Promise<{ row: Row } | { refused: string }> => {
    const row = (await conversations.rowsOf(sessionName, [chatId])).get(chatId);
    if (row !== undefined) return { row };
    const isGroup = items.some((message) => message.isGroup);
    const pushName = isGroup ? null : (items.findLast(({ fromMe }) => !fromMe)?.pushName ?? null);
    const made = await conversations.create(sessionName, [
      {
        chatId,
        person: personOf(chatId, null, pushName),
        fields: bareChat(chatId, isGroup, pushName),
        state: {},
      },
    ]);
    const outcome = made.get(chatId);
    if (outcome === undefined) throw new Error("a chat was neither made nor refused");
    if ("created" in outcome) return { row: { name: outcome.created, chat_id: chatId, ...EMPTY_ENDS } };
    return outcome;
  };

  /** The chat shows its newest message, whatever order they were written in. */
  const advance = async (
    row: Row,
    { sessionId, chatId, position, items }: MessageBatch,
    results: WriteResult[],
    time: SiteTime,
  ): Promise<void> => {
    const written = items.filter((_, index) => results[index]?.outcome !== "rejected");
    const newest = written.reduce<Message | null>(
      (best, one) => (best === null || one.timestamp >= best.timestamp ? one : best),
      null,
    );
    if (newest === null) return;
    const oldest = Math.min(...written.map(({ timestamp }) => timestamp));
    const last = time.read(row["last_message_time"]);
    const first = time.read(row["first_message_time"]);
    // One that was there before is the last only if it always was, or if nobody noticed until now.
    const isNew = results[items.indexOf(newest)]?.outcome === "created";
    const isLast = text(row, "last_remote_message_id") === newest.messageId;
    const mayShow = isNew || isLast || last === null || newest.timestamp > last;
    const end = mayShow ? lasts.fields({ sessionId, chatId, row, time, position }, newest) : {};
    const changes = differing(row, {
      ...end,
      first_message_time: first === null || oldest < first ? time.write(oldest) : undefined,
    });
    if (isEmpty(changes)) return;
    if (!isEmpty(end) && position !== null)
      changes[STATE_FIELD] = writeState({ ...readState(row[STATE_FIELD]), lastPosition: position });
    await lasts.write(text(row, "name"), changes);
  };

  return { upsert, rowsOf, chatsOf };
}

/** Those whose ids can be kept, and the refusals of the others. */
function possible({ items: told, chatId }: MessageBatch): {
  items: { message: Message; index: number }[];
  results: WriteResult[];
} {
  const results: WriteResult[] = [];
  const items: { message: Message; index: number }[] = [];
  for (const [index, message] of told.entries()) {
    const problem = idProblem("message id", message.messageId) ?? idProblem("chat id", chatId);
    if (problem === null) items.push({ message, index });
    else results[index] = { outcome: "rejected", error: problem };
  }
  return { items, results };
}

const EMPTY_ENDS: Row = {
  last_message: null,
  last_message_time: null,
  last_message_from_me: 0,
  first_message_time: null,
  last_remote_message_id: null,
};

/** The message answered may be kept under either of these. */
const quotedIds = (sessionId: string, { quotedMessageId }: Message): string[] =>
  quotedMessageId === null ? [] : [quotedMessageId, `${sessionId}:${quotedMessageId}`];
