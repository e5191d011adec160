/**
 * First pages of the steps to come, asked for while the step before is still at work, so that hub and bridge do not wait for
 * each other in turns. A page is written with the position it was read at: read a little early, it harms nothing.
 */
import type { HubClient, HubPage } from "../hub-client.ts";
import type { Chat } from "../records.ts";
import { pageSize, type SyncLimits } from "./budget.ts";

type Reads = Pick<HubClient, "contacts" | "chats" | "messages">;

export interface ReadAhead {
  /** Answers what was asked for ahead, once; everything else is asked now. */
  hub: Reads;
  /** Two pages: their first moments are those of the check. `since`: Unix seconds; null reads the whole list. */
  contacts(since: number | null): void;
  chats(since: number | null): void;
  /** The list that messages are chosen from; when `isWhole`, also the first messages of its first chats. */
  messages(options: { isWhole: boolean }): void;
}

/** So many messages are one short transaction, too: they are small. */
const MESSAGES_TOGETHER = 200;

/** While the messages of some chats are being written, those of the next ones are on their way, and of the ones after them. */
const GROUPS_AHEAD = 2;

/** Chats whose messages are read together. */
export const chatsTogether = ({ messagesPerChat }: Pick<SyncLimits, "messagesPerChat">): number =>
  Math.max(1, Math.floor(MESSAGES_TOGETHER / Math.max(1, messagesPerChat)));

export function createReadAhead(hub: Reads, sessionId: string, limits: SyncLimits): ReadAhead {
  const contacts = once((id: string, page: Parameters<Reads["contacts"]>[1]) => hub.contacts(id, page));
  const chats = once((id: string, page: Parameters<Reads["chats"]>[1]) => hub.chats(id, page));
  const messages = once((id: string, chatId: string, page: Parameters<Reads["messages"]>[2]) =>
    hub.messages(id, chatId, page),
  );

  /** Of the whole list: the messages of a pass are chosen from the same page, and need not ask again. */
  let firstChats: Promise<HubPage<Chat>> | null = null;

  /** Nothing where the limit forbids to read any. */
  const first = (limit: number, ask: (page: { limit: number }) => void): void => {
    const size = pageSize(limit, 0);
    if (size > 0) ask({ limit: size });
  };

  return {
    hub: { contacts: contacts.take, chats: chats.take, messages: messages.take },
    contacts: (since) =>
      first(limits.contacts, (page) => {
        const asked = contacts.ask(sessionId, { ...page, ...after(since) });
        // Its failure is told to whoever takes the page.
        asked.then(
          ({ items, nextCursor }) => {
            const limit = pageSize(limits.contacts, items.length);
            if (nextCursor !== null && limit > 0)
              void contacts.ask(sessionId, { limit, cursor: nextCursor, ...after(since) });
          },
          () => undefined,
        );
      }),
    chats: (since) =>
      first(limits.chats, (page) => {
        const asked = chats.ask(sessionId, { ...page, ...after(since) });
        if (since === null) firstChats = asked;
      }),
    messages: ({ isWhole }) =>
      first(limits.messagesPerChat === 0 ? 0 : limits.messageChats, (page) => {
        const list =
          firstChats === null
            ? chats.ask(sessionId, page)
            : chats.give([sessionId, page], firstChats.then(firstOf(page.limit)));
        if (!isWhole) return;
        // Its failure is told to whoever takes the list.
        list.then(
          ({ items }) => {
            const chosen = items.filter(({ totalMessages }) => totalMessages > 0);
            for (const { chatId } of chosen.slice(0, GROUPS_AHEAD * chatsTogether(limits)))
              first(limits.messagesPerChat, (size) => void messages.ask(sessionId, chatId, size));
          },
          () => undefined,
        );
      }),
  };
}

const firstOf =
  (limit: number) =>
  (page: HubPage<Chat>): HubPage<Chat> => ({ ...page, items: page.items.slice(0, limit) });

const after = (since: number | null) => (since === null ? {} : { updatedAfter: since });

/** Answers of one request, kept until somebody takes them. */
function once<A extends unknown[], T>(read: (...args: A) => Promise<T>) {
  const asked = new Map<string, Promise<T>>();
  const give = (args: A, answer: Promise<T>): Promise<T> => {
    asked.set(JSON.stringify(args), answer);
    // Told to whoever takes it; until then, and if nobody does, it is nobody's failure.
    answer.catch(() => undefined);
    return answer;
  };
  return {
    give,
    ask: (...args: A): Promise<T> => asked.get(JSON.stringify(args)) ?? give(args, read(...args)),
    take: (...args: A): Promise<T> => {
      const key = JSON.stringify(args);
      const answer = asked.get(key) ?? read(...args);
      asked.delete(key);
      return answer;
    },
  };
}
