/**
 * Answers that came before what they answer. The site keeps no id of a message that it does not have, so the bridge remembers
 * who waits for what; after a restart, whoever reads the answer again links it.
 */
import type { WriteResult } from "../../adapter.ts";
import type { Message } from "../../records.ts";
import { text, type Row } from "./field-values.ts";
import { bounded, type Bounded } from "./memory.ts";
import { sentAt } from "./message-fields.ts";
import { MESSAGE, type Site } from "./site.ts";

interface Chat {
  sessionId: string;
  chatId: string;
}

export interface Answers {
  /** The document of a message; remembered if it answers one that the site does not have yet. */
  waits(answer: Message, chat: Chat, row: Row): void;
  /** Links what waited for any of these messages, where it is there now. */
  link(batch: Chat & { items: Message[] }, results: WriteResult[]): Promise<void>;
  /** Links what waited in either of two chats for a message of the other; `conversation`: the document that both are now. */
  joined(chats: { sessionId: string; from: string; into: string }, conversation: string): Promise<void>;
}

const REMEMBERED = 5_000;
/** No more than a question to the site can name. */
const OF_A_CHAT = 100;

export function createAnswers({ tables, writes, time }: Pick<Site, "tables" | "writes" | "time">): Answers {
  /** By chat, and by the id of what they wait for: names of answers. */
  const waiting = bounded<Bounded<string[]>>(REMEMBERED);
  const keyOf = ({ sessionId, chatId }: Chat): string => [sessionId, chatId].join("|");

  const wait = (key: string, messageId: string, names: string[]): void => {
    const ofChat = waiting.get(key) ?? bounded<string[]>(OF_A_CHAT);
    ofChat.set(messageId, [...new Set([...(ofChat.get(messageId) ?? []), ...names])]);
    waiting.set(key, ofChat);
  };

  /** `named`: documents by the id of the message. */
  const linkTo = async (key: string, named: Map<string, string>): Promise<void> => {
    const ofChat = waiting.get(key);
    const found = [...named].flatMap(([messageId, id]) =>
      (ofChat?.get(messageId) ?? []).map((answer): [string, string] => [answer, id]),
    );
    if (ofChat === undefined || found.length === 0) return;
    const asked = new Map(found);
    const siteTime = await time();
    const rows = await tables.all(MESSAGE, {
      fields: ["name", "direction", "sent_at", "timestamp"],
      filters: [
        ["name", "in", [...asked.keys()]],
        ["quoted_message", "=", ""],
      ],
      orderBy: "name asc",
    });
    await writes.updateAll(
      MESSAGE,
      rows.map((row) => ({
        name: text(row, "name"),
        changes: { quoted_message: asked.get(text(row, "name")), ...sentAt(row, siteTime) },
      })),
    );
    for (const messageId of named.keys()) ofChat.delete(messageId);
    if (ofChat.keys().length === 0) waiting.delete(key);
  };

  return {
    waits: ({ quotedMessageId }, chat, row) => {
      if (quotedMessageId === null || text(row, "quoted_message") !== "") return;
      wait(keyOf(chat), quotedMessageId, [text(row, "name")]);
    },
    link: (batch, results) =>
      linkTo(
        keyOf(batch),
        new Map(
          batch.items.flatMap(({ messageId }, index): [string, string][] => {
            const { id, outcome } = results[index] ?? {};
            return id === undefined || outcome === "rejected" ? [] : [[messageId, id]];
          }),
        ),
      ),
    joined: async ({ sessionId, from, into }, conversation) => {
      const old = keyOf({ sessionId, chatId: from });
      const key = keyOf({ sessionId, chatId: into });
      const theirs = waiting.get(old);
      for (const messageId of theirs?.keys() ?? []) wait(key, messageId, theirs?.get(messageId) ?? []);
      waiting.delete(old);
      const ids = waiting.get(key)?.keys() ?? [];
      if (ids.length === 0) return;
      const rows = await tables.all(MESSAGE, {
        fields: ["name", "message_id"],
        filters: [
          ["conversation", "=", conversation],
          ["message_id", "in", ids.flatMap((id) => [id, `${sessionId}:${id}`])],
        ],
        orderBy: "name asc",
      });
      const ownId = (row: Row): string => text(row, "message_id").replace(`${sessionId}:`, "");
      await linkTo(key, new Map(rows.map((row) => [ownId(row), text(row, "name")])));
    },
  };
}
