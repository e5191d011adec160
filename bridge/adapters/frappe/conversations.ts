/**
 * WhatsApp Conversation: found by session and chat. The site has no unique index on them: whoever creates one holds the
 * lane of its chat, one whose answer was lost is waited for, and of several that exist the oldest counts.
 */
import { createElapsed } from "../../elapsed.ts";
import { CrmUnavailable } from "../../errors.ts";
import type { Contacts, Bare } from "./contacts.ts";
import { nameOrNull, text, type Fields, type Row } from "./field-values.ts";
import { isSameState, STATE_FIELD, writeState, type HubState } from "./hub-state.ts";
import { bounded } from "./memory.ts";
import { CONVERSATION, isPerson, phoneNumberOf, type Site } from "./site.ts";
import { mayBeDone } from "./site-answer.ts";
import { rejected, type Insert } from "./write-many.ts";

export const CONVERSATION_FIELDS = [
  "name",
  "chat_id",
  "contact",
  "contact_name",
  "phone_number",
  "is_group",
  "is_broadcast",
  "is_read_only",
  "is_archived",
  "is_pinned",
  "is_muted",
  "mute_expiration",
  "unread_count",
  "total_messages",
  "last_message",
  "last_message_time",
  "last_message_from_me",
  "first_message_time",
  "last_remote_message_id",
  STATE_FIELD,
];

/** A chat that must exist, with what is known about it. */
export interface WantedChat {
  chatId: string;
  person: Bare | null;
  fields: Fields;
  state: HubState;
}

export type MadeChat = { row: Row } | { created: string } | { refused: string };

export interface Conversations {
  /** @throws CrmUnavailable while one that is not found may still come to be */
  rowsOf(sessionName: string, chatIds: string[]): Promise<Map<string, Row>>;
  /** Those that do not count as well, oldest first. @throws as `rowsOf` */
  allOf(sessionName: string, chatIds: string[]): Promise<Row[]>;
  /** Which chat each document is of, for documents of any session. */
  chatIdsOf(names: string[]): Promise<Map<string, string>>;
  /** For chats without a document: makes it, linked to its contact. The caller holds their lanes. */
  create(sessionName: string, chats: WantedChat[]): Promise<Map<string, MadeChat>>;
}

/** A site's web server ends a request that took this long; nobody sees one that it still works at. */
const LONGEST_REQUEST_MS = 2 * 60_000;
const REMEMBERED = 10_000;

export function createConversations(
  { tables, writes, names, clock }: Site,
  contacts: Contacts,
): Conversations {
  const elapsed = createElapsed(clock);
  /**
   * Until when each chat, asked for without an answer, may still come to be. A bridge that is restarted within that time
   * may make a second one; nothing of either is lost, as messages are found by the chat of their conversation, whichever,
   * and counted over all of them.
   */
  const awaited = bounded<number>(REMEMBERED);
  const keyOf = (sessionName: string, chatId: string): string => `${sessionName}|${chatId}`;

  const allOf = async (sessionName: string, chatIds: string[]): Promise<Row[]> => {
    if (chatIds.length === 0) return [];
    const rows = await tables.list(CONVERSATION, {
      fields: CONVERSATION_FIELDS,
      filters: [
        ["session", "=", sessionName],
        ["chat_id", "in", chatIds],
      ],
      orderBy: "creation asc, name asc",
      limit: chatIds.length * 4,
    });
    for (const row of rows) {
      names.chats.set(text(row, "name"), text(row, "chat_id"));
      awaited.delete(keyOf(sessionName, text(row, "chat_id")));
    }
    const now = elapsed();
    if (chatIds.some((chatId) => now < (awaited.get(keyOf(sessionName, chatId)) ?? 0)))
      throw new CrmUnavailable("the site may still be making a chat that it was asked for");
    return rows;
  };

  const rowsOf = async (sessionName: string, chatIds: string[]): Promise<Map<string, Row>> => {
    const found = new Map<string, Row>();
    for (const row of await allOf(sessionName, chatIds)) {
      const chatId = text(row, "chat_id");
      if (!found.has(chatId)) found.set(chatId, row);
    }
    return found;
  };

  return {
    rowsOf,
    allOf,
    chatIdsOf: async (wanted) => {
      const chats = new Map<string, string>();
      for (const name of wanted) {
        const chatId = names.chats.get(name);
        if (chatId !== undefined) chats.set(name, chatId);
      }
      const unknown = [...new Set(wanted)].filter((name) => !chats.has(name));
      if (unknown.length === 0) return chats;
      const rows = await tables.list(CONVERSATION, {
        fields: ["name", "chat_id"],
        filters: [["name", "in", unknown]],
        orderBy: "name asc",
        limit: unknown.length,
      });
      for (const row of rows) {
        chats.set(text(row, "name"), text(row, "chat_id"));
        names.chats.set(text(row, "name"), text(row, "chat_id"));
      }
      return chats;
    },
    create: async (sessionName, chats) => {
      const people = chats.flatMap(({ person }) => person ?? []);
      const contactNames = await contacts.ensure(sessionName, people);
      const made = new Map<string, MadeChat>();
      const inserts = chats.map(({ chatId, person, fields, state }): Insert => ({
        key: keyOf(sessionName, chatId),
        fields: {
          session: sessionName,
          chat_id: chatId,
          contact: person === null ? undefined : contactNames.get(person.id),
          phone_number: isPerson(chatId) ? phoneNumberOf(chatId) : undefined,
          status: "Active",
          ...fields,
          ...(isSameState(state, {}) ? {} : { [STATE_FIELD]: writeState(state) }),
        },
        whenTaken: async (refusal) => {
          const row = (await rowsOf(sessionName, [chatId])).get(chatId);
          if (row === undefined) return rejected(refusal);
          made.set(chatId, { row });
          return { outcome: "unchanged" };
        },
        done: (created) => {
          made.set(chatId, { created });
          names.chats.set(created, chatId);
        },
      }));
      const results = await writes.insertAll(CONVERSATION, inserts).catch((error: unknown) => {
        const until = elapsed() + LONGEST_REQUEST_MS;
        if (mayBeDone(error))
          for (const { chatId } of chats)
            if (!made.has(chatId)) awaited.set(keyOf(sessionName, chatId), until);
        throw error;
      });
      results.forEach((result, index) => {
        const chatId = chats[index]?.chatId;
        if (chatId !== undefined && result.outcome === "rejected")
          made.set(chatId, { refused: result.error ?? "refused" });
      });
      return made;
    },
  };
}

/** The person behind a chat that is one. */
export const personOf = (chatId: string, name: string | null, pushname: string | null = null): Bare | null =>
  isPerson(chatId) ? { id: chatId, name, pushname } : null;

/** Fields of a chat that a message brought before the chat itself. */
export const bareChat = (chatId: string, isGroup: boolean, pushName: string | null): Fields => ({
  contact_name: isGroup ? undefined : nameOrNull(pushName),
  is_group: isGroup ? 1 : 0,
  is_broadcast: chatId.endsWith("@broadcast") ? 1 : 0,
});
