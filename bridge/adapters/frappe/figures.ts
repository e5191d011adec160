/** What the site holds, counted by the site: few calls, whatever the number of records. */
import type { ChatDigest, Totals } from "../../adapter.ts";
import { number, text } from "./field-values.ts";
import type { Sessions } from "./sessions.ts";
import { CONTACT, CONVERSATION, MESSAGE, type Site } from "./site.ts";
import type { Filter } from "./site-tables.ts";

export interface Figures {
  totals(sessionId: string): Promise<Totals>;
  messages(sessionId: string): Promise<{ sent: number; received: number }>;
  digests(sessionId: string, chatIds: string[] | undefined): Promise<ChatDigest[]>;
}

/** Chats asked about in one list. */
const CHATS_AT_ONCE = 200;

export function createFigures({ tables, time }: Site, sessions: Sessions): Figures {
  const chatsOf = async (session: string, chatIds: string[] | undefined): Promise<Map<string, string>> => {
    const chats = new Map<string, string>();
    const parts: (string[] | undefined)[] = chatIds === undefined ? [undefined] : inParts(chatIds);
    for (const part of parts) {
      const filters: Filter[] = [["session", "=", session]];
      if (part !== undefined) filters.push(["chat_id", "in", part]);
      const rows = await tables.all(CONVERSATION, {
        fields: ["name", "chat_id"],
        filters,
        orderBy: "name asc",
      });
      for (const row of rows) chats.set(text(row, "name"), text(row, "chat_id"));
    }
    return chats;
  };

  return {
    totals: async (sessionId) => {
      const session = await sessions.findName(sessionId);
      if (session === null) return { contacts: 0, chats: 0, messages: 0 };
      const [contacts, chats, messages] = await Promise.all(
        [CONTACT, CONVERSATION, MESSAGE].map((doctype) => tables.count(doctype, [["session", "=", session]])),
      );
      return { contacts: contacts ?? 0, chats: chats ?? 0, messages: messages ?? 0 };
    },
    messages: async (sessionId) => {
      const session = await sessions.findName(sessionId);
      if (session === null) return { sent: 0, received: 0 };
      const [sent, received] = await Promise.all(
        ["Outgoing", "Incoming"].map((direction) =>
          tables.count(MESSAGE, [
            ["session", "=", session],
            ["direction", "=", direction],
          ]),
        ),
      );
      return { sent: sent ?? 0, received: received ?? 0 };
    },
    digests: async (sessionId, chatIds) => {
      const session = await sessions.findName(sessionId);
      if (session === null) return [];
      const chats = await chatsOf(session, chatIds);
      const at = await time();
      const found = new Map<string, ChatDigest>();
      const parts: (string[] | undefined)[] =
        chatIds === undefined ? [undefined] : inParts([...chats.keys()]);
      for (const part of parts) {
        const filters: Filter[] = [["session", "=", session]];
        if (part !== undefined) filters.push(["conversation", "in", part]);
        const rows = await tables.all(MESSAGE, {
          fields: [
            "conversation",
            "count(name) as messages",
            "min(timestamp) as oldest",
            "max(timestamp) as newest",
          ],
          filters,
          groupBy: "conversation",
          orderBy: "conversation asc",
        });
        for (const row of rows) {
          const chatId = chats.get(text(row, "conversation"));
          if (chatId === undefined) continue;
          const digest = {
            chatId,
            messages: number(row, "messages"),
            oldest: at.read(row["oldest"]),
            newest: at.read(row["newest"]),
          };
          // A chat that people gave two documents is one chat all the same.
          found.set(chatId, joined(found.get(chatId), digest));
        }
      }
      return [...found.values()];
    },
  };
}

function joined(before: ChatDigest | undefined, digest: ChatDigest): ChatDigest {
  if (before === undefined) return digest;
  const times = (...moments: (number | null)[]): number[] => moments.filter((moment) => moment !== null);
  return {
    chatId: digest.chatId,
    messages: before.messages + digest.messages,
    oldest: Math.min(...times(before.oldest, digest.oldest)),
    newest: Math.max(...times(before.newest, digest.newest)),
  };
}

function inParts<T>(items: T[]): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += CHATS_AT_ONCE)
    parts.push(items.slice(start, start + CHATS_AT_ONCE));
  return parts;
}
