/** Pages of messages, newest first or oldest first. */
import type { Message } from "../../../core/message.ts";
import type { Page } from "../../../core/page.ts";
import type { MessageQuery } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import { createPager, when, type Condition, type PageQuery } from "../pager.ts";
import { readTally } from "../tally.ts";
import type { Addresses } from "./addresses.ts";
import type { Chats } from "./chats.ts";
import { MESSAGE_COLUMNS, toMessage, type MessageRow } from "./message-rows.ts";
import type { Messages } from "./messages.ts";
import { createMatch, createWordsCatchUp, MESSAGE_OF_PLACE, placedIn } from "./words.ts";

type ListPart = "list" | "bound" | "request" | "direction" | "toItem" | "scope" | "filters";

/** A list that is narrowed by time alone. */
interface Asked {
  session: number;
  chat: ReturnType<Chats["find"]>;
  inTime: Condition[];
}

const CHANGED = "m.updated_at > ?";
const NOTHING: Page<Message> = { items: [], total: 0, nextCursor: null };
/** Nobody reads on page by page beyond that; counting on would cost as much as reading. */
const MATCHES_COUNTED = 10_000;
/** What a search indexes itself before it looks, so that it finds what was said a moment ago. */
const INDEXED_BEFORE = 2_000;

export function createMessagePages(
  engine: Engine,
  { addresses, chats, messages }: { addresses: Addresses; chats: Chats; messages: Messages },
): (query: MessageQuery) => Page<Message> {
  const pages = createPager(engine);
  const catchUp = createWordsCatchUp(engine);
  const matchOf = createMatch(engine);

  /**
   * What changed, walked through its own index: no page sorts or counts all of it. What changed in one chat is sorted, as it
   * may be anywhere in what changed of the session.
   */
  const byChange = (
    { id, chatId, order, cursor }: MessageQuery,
    { scope, filters, ...list }: Pick<PageQuery<MessageRow, Message>, ListPart>,
  ): Page<Message> => {
    const ofMany = chatId === undefined ? "message_updated" : "message_chat";
    const walked = `message m INDEXED BY ${id === undefined ? ofMany : "message_key"}`;
    // A cursor lies after all that did not change: with both, the index might be walked from the earlier of them.
    const isPast = cursor !== undefined && order === "asc";
    return pages.read<MessageRow & { updated_at: number }, Message>({
      ...list,
      columns: `${MESSAGE_COLUMNS}, m.updated_at`,
      from: `${walked} CROSS JOIN chat c ON c.id = m.chat`,
      scope,
      filters: filters.filter(({ sql }) => !isPast || sql !== CHANGED),
      keys: ["m.updated_at", "m.n"],
      keyOf: (row) => [row.updated_at, row.n],
      knownTotal: () => pages.count(walked, [...scope, ...filters], MATCHES_COUNTED),
    });
  };

  /** All but a few: then what did not change costs less to pass over than what did to sort. */
  const isAlmostAll = (session: number, updatedAfter: number): boolean =>
    pages.count(
      "message m INDEXED BY message_updated",
      [...when("m.session = ?", session), ...when("m.updated_at <= ?", updatedAfter)],
      MATCHES_COUNTED,
    ) < MATCHES_COUNTED;

  /** One id, or what changed, is few among many: found by its own index and sorted. All else walks the list itself. */
  const indexFor = ({ id, chatId, updatedAfter }: MessageQuery, session: number): string => {
    if (id !== undefined) return " INDEXED BY message_key";
    if (updatedAfter === undefined || chatId !== undefined) return "";
    return ` INDEXED BY ${isAlmostAll(session, updatedAfter) ? "message_session" : "message_updated"}`;
  };

  /** Whoever compares a chat asks how many there are since a moment: its index tells, without a look at each. */
  const totalOf = ({ session, chat, inTime }: Asked): number | null => {
    if (inTime.length === 0) return chat?.message_count ?? readTally(engine, session).messages;
    return chat === undefined ? null : pages.count("message m", [...when("m.chat = ?", chat.id), ...inTime]);
  };

  return (query) => {
    const { sessionId, chatId, id, order, since, until, type, fromMe, search, updatedAfter, orderBy } = query;
    const session = engine.session(sessionId);
    const context = messages.context(session);
    const chat = chatId === undefined ? undefined : chats.find(session.id, addresses.map(session.id, chatId));
    if (chatId !== undefined && chat === undefined) return NOTHING;
    const byKind = [...when("m.type = ?", type), ...when("m.from_me = ?", fromMe)];
    const inTime = [...when("m.ts >= ?", since), ...when("m.ts <= ?", until)];
    const others = [...when("m.id = ?", id), ...when(CHANGED, updatedAfter)];
    const filters = [...inTime, ...byKind, ...others];
    const scope = scopeOf(query, session.id, chat?.id);
    const list = {
      list: "messages",
      bound: { sessionId, chatId, id, order, since, until, type, fromMe, search, updatedAfter, orderBy },
      request: query,
      direction: order,
      toItem: (row: MessageRow) => toMessage(row, context),
    };
    const isSearch = search !== undefined && search !== "";
    if (!isSearch && orderBy === "updated") return byChange(query, { ...list, scope, filters });
    if (!isSearch)
      return pages.read<MessageRow, Message>({
        ...list,
        columns: MESSAGE_COLUMNS,
        from: `message m${indexFor(query, session.id)} CROSS JOIN chat c ON c.id = m.chat`,
        scope,
        filters,
        keys: ["m.ts", "m.n"],
        keyOf: (row) => [row.ts, row.n],
        knownTotal: () =>
          filters.length > inTime.length ? null : totalOf({ session: session.id, chat, inTime }),
        countAtMost: MATCHES_COUNTED,
      });

    catchUp(INDEXED_BEFORE);
    const match = matchOf(search, { session: session.id, chat: chat?.id, type, fromMe });
    if (match === null) return NOTHING;
    const matches = [...when("w.message_words MATCH ?", match), ...placedIn({ since, until })];
    return pages.read<MessageRow & { place: string }, Message>({
      ...list,
      // As text: a place has more bits than a number of JavaScript.
      columns: `${MESSAGE_COLUMNS}, CAST(w.rowid AS TEXT) AS place`,
      from: `message_words w CROSS JOIN message m ON ${MESSAGE_OF_PLACE} CROSS JOIN chat c ON c.id = m.chat`,
      scope: [...matches, ...scope],
      filters: [...byKind, ...others],
      keys: ["w.rowid"],
      keyMark: "CAST(? AS INTEGER)",
      keyOf: ({ place }) => [place],
      // The index alone knows them all, without a look at each message.
      knownTotal: () =>
        others.length === 0 ? pages.count("message_words w", matches, MATCHES_COUNTED) : null,
      countAtMost: MATCHES_COUNTED,
    });
  };
}

/** A chat is of one session: it need not be said where the chat's own index is walked. */
const scopeOf = ({ id }: MessageQuery, session: number, chat: number | undefined): Condition[] => [
  ...(chat === undefined || id !== undefined ? when("m.session = ?", session) : []),
  ...when("m.chat = ?", chat),
];
