/**
 * Answers that came before what they answer. The site keeps no id of a message that it does not have, so the bridge remembers
 * who waits for what; after a restart, whoever reads the answer again links it.
 */
import type { WriteResult } from "../../adapter.ts";
import type { Message } from "../../records.ts";
import { text, type Row } from "./field-values.ts";
import { bounded } from "./memory.ts";
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
}

const REMEMBERED = 20_000;

export function createAnswers({ tables, writes, time }: Pick<Site, "tables" | "writes" | "time">): Answers {
  /** Names of answers by what they wait for. */
  const waiting = bounded<string[]>(REMEMBERED);
  const keyOf = ({ sessionId, chatId }: Chat, messageId: string): string =>
    [sessionId, chatId, messageId].join("|");

  return {
    waits: ({ quotedMessageId }, chat, row) => {
      if (quotedMessageId === null || text(row, "quoted_message") !== "") return;
      const key = keyOf(chat, quotedMessageId);
      waiting.set(key, [...new Set([...(waiting.get(key) ?? []), text(row, "name")])]);
    },
    link: async (batch, results) => {
      const found = batch.items.flatMap(({ messageId }, index) => {
        const key = keyOf(batch, messageId);
        const { id, outcome } = results[index] ?? {};
        const names = waiting.get(key);
        return names === undefined || id === undefined || outcome === "rejected" ? [] : [{ key, id, names }];
      });
      if (found.length === 0) return;
      const asked = new Map(found.flatMap(({ id, names }) => names.map((name) => [name, id])));
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
      for (const { key } of found) waiting.delete(key);
    },
  };
}
