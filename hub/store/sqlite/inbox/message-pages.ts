/** Pages of messages, newest first or oldest first. */
import type { Message } from "../../../core/message.ts";
import type { Page } from "../../../core/page.ts";
import type { MessageQuery } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import { containing, createPager, when } from "../pager.ts";
import { readTally } from "../tally.ts";
import type { Addresses } from "./addresses.ts";
import type { Chats } from "./chats.ts";
import { MESSAGE_COLUMNS, toMessage, type MessageRow } from "./message-rows.ts";
import type { Messages } from "./messages.ts";

export function createMessagePages(
  engine: Engine,
  { addresses, chats, messages }: { addresses: Addresses; chats: Chats; messages: Messages },
): (query: MessageQuery) => Page<Message> {
  const pages = createPager(engine);

  return (query) => {
    const { sessionId, chatId, order, since, until, type, fromMe, search, updatedAfter } = query;
    const session = engine.session(sessionId);
    const context = messages.context(session);
    const chat = chatId === undefined ? undefined : chats.find(session.id, addresses.map(session.id, chatId));
    if (chatId !== undefined && chat === undefined) return { items: [], total: 0, nextCursor: null };
    // What changed is few among many: its own index is read and sorted. Everything else walks the list itself.
    const from =
      updatedAfter !== undefined && chat === undefined
        ? "message m INDEXED BY message_updated CROSS JOIN chat c ON c.id = m.chat"
        : "message m CROSS JOIN chat c ON c.id = m.chat";
    const filters = [
      ...when("m.ts >= ?", since),
      ...when("m.ts <= ?", until),
      ...when("m.type = ?", type),
      ...when("m.from_me = ?", fromMe),
      ...containing(["m.content"], search),
      ...when("m.updated_at > ?", updatedAfter),
    ];
    return pages.read<MessageRow, Message>({
      list: "messages",
      bound: { sessionId, chatId, order, since, until, type, fromMe, search, updatedAfter },
      request: query,
      columns: MESSAGE_COLUMNS,
      from,
      scope: chat === undefined ? when("m.session = ?", session.id) : when("m.chat = ?", chat.id),
      filters,
      keys: ["m.ts", "m.n"],
      direction: order,
      keyOf: (row) => [row.ts, row.n],
      knownTotal: () =>
        filters.length > 0 ? null : (chat?.message_count ?? readTally(engine, session.id).messages),
      toItem: (row) => toMessage(row, context),
    });
  };
}
