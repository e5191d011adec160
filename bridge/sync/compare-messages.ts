/**
 * The messages of one chat, hub against CRM: what is missing is read and written. How both stood is remembered, so that what reading
 * could not mend is not read for again, and what gets worse is found although a count hides it.
 */
import type { ChatDigest, CrmAdapter } from "../adapter.ts";
import type { FailedItems } from "../failed-items.ts";
import type { HubClient } from "../hub-client.ts";
import type { Chat } from "../records.ts";
import type { Tally } from "../state/bridge-state.ts";
import type { SyncLimits } from "./budget.ts";
import { grown, isAnswered, lookAt, rangeOf, type ChatSides, type Look } from "./compare-chat.ts";
import { readPages } from "./read-pages.ts";
import { refusedOf } from "./refused.ts";
import { addTally, NOTHING } from "./tally.ts";
import type { RecordWriter } from "./write-records.ts";

interface MessageComparisonParts {
  hub: Pick<HubClient, "messages">;
  adapter: Pick<CrmAdapter, "chatDigests">;
  writer: Pick<RecordWriter, "messages">;
  failed: Pick<FailedItems, "list">;
  limits: SyncLimits;
}

export interface ComparedChat extends ChatSides {
  sessionId: string;
  chat: Chat;
  /** Messages of it that the CRM is known to refuse. */
  refused: number;
}

interface Brought {
  tally: Tally;
  /** What the CRM has after it. */
  held: ChatDigest | undefined;
  /** The hub had as many as when it was compared. */
  isHubSteady: boolean;
}

/** What is remembered of a chat. */
export interface ChatMemory {
  look?: Look;
  /** How many more the hub had from this moment on when they were last counted, and how many of the chat it had let go. */
  range?: { since: number; lacks: number; removed: number };
}

/** What the hub lacks now, or the CRM has more, may be in the counted range: less than was counted makes up for nothing later. */
function note(memory: ChatMemory, look: Look): void {
  const { look: before, range } = memory;
  memory.look = look;
  if (before === undefined || range === undefined) return;
  if (look.refused < before.refused) delete memory.range;
  else if (look.lacks < before.lacks) range.lacks -= before.lacks - look.lacks;
}

const ALL = Number.MAX_SAFE_INTEGER;

/** @returns what became of each message that was written; those that are known to be refused are errors of every look */
export type CompareMessages = (compared: ComparedChat, memory: ChatMemory) => Promise<Tally>;

export function createMessageComparison(parts: MessageComparisonParts): CompareMessages {
  const { hub, adapter, writer, failed, limits } = parts;

  async function newest({
    sessionId,
    chat: { chatId },
  }: ComparedChat): Promise<{ tally: Tally; total: number }> {
    const pages = readPages({
      read: (page) => hub.messages(sessionId, chatId, page),
      limit: limits.messagesPerChat,
    });
    let tally = NOTHING;
    let total = 0;
    for await (const { items, position, total: all } of pages) {
      total = all;
      tally = addTally(
        tally,
        await writer.messages({ sessionId, chatId, items: items.toReversed(), position }),
      );
    }
    return { tally, total };
  }

  /** Null when there was nothing to read. `isForced`: something is missing, whatever the count says. */
  async function range(
    { sessionId, chat: { chatId, removedMessages: removed = 0 } }: ComparedChat,
    memory: ChatMemory,
    { since, held, isForced }: { since: number; held: number; isForced: boolean },
  ): Promise<Tally | null> {
    const { total } = await hub.messages(sessionId, chatId, { order: "asc", since, limit: 1 });
    const before = memory.range?.since === since ? memory.range : { lacks: 0, removed };
    // Each that went since may have been one that the CRM lacked.
    const known = before.lacks - Math.max(0, removed - before.removed);
    memory.range = { since, lacks: total - held, removed };
    // Fewer in the hub: what it does not have any more cannot be read from it.
    if (total === 0 || (!isForced && total - held <= known)) return null;
    const read = (page: { limit: number; cursor: string | undefined }) =>
      hub.messages(sessionId, chatId, { ...page, order: "asc", since });
    let tally = NOTHING;
    for await (const { items, position } of readPages({ read, limit: ALL }))
      tally = addTally(tally, await writer.messages({ sessionId, chatId, items, position }));
    memory.range.lacks -= tally.created;
    return tally;
  }

  const digestOf = async ({ sessionId, chat: { chatId } }: ComparedChat): Promise<ChatDigest | undefined> => {
    const [digest] = await adapter.chatDigests(sessionId, [chatId]);
    return digest;
  };

  /** How both stand once something was brought. */
  function lookAfter(
    compared: ComparedChat,
    before: Look | undefined,
    { tally, held, isHubSteady }: Brought,
  ): Look {
    const { sessionId, chat } = compared;
    const refused = refusedOf(failed.list(sessionId)).messagesIn(chat.chatId);
    const isSteady = isHubSteady && held?.messages === (compared.held?.messages ?? 0) + tally.created;
    return lookAt({ ...compared, held }, { refused, before, isSteady, limits });
  }

  /** The newest, and before those what else is missing. */
  async function newestAndOlder(compared: ComparedChat, memory: ChatMemory): Promise<Brought> {
    const { held, oldestBefore, chat } = compared;
    const { tally, total } = await newest(compared);
    const isHubSteady = total === chat.totalMessages;
    if (held === undefined && oldestBefore === undefined) return { tally, held, isHubSteady };
    const now = { tally, held: await digestOf(compared), isHubSteady };
    const heldNow = now.held?.messages ?? 0;
    const older = rangeOf(now.held, oldestBefore);
    const isWhole = tally.processed >= chat.totalMessages;
    if (isWhole || older.ask !== "range") return now;
    // By their number all are there: what the hub let go, or never had, stands in for what is missing.
    const isMissing = grown(memory.look, lookAfter(compared, memory.look, now)) > 0;
    const isForced = isMissing && heldNow >= chat.totalMessages;
    const more = await range(compared, memory, { since: older.since, held: heldNow, isForced });
    if (more === null) return now;
    return { tally: addTally(tally, more), held: await digestOf(compared), isHubSteady };
  }

  async function bring(compared: ComparedChat, memory: ChatMemory, look: Look): Promise<Brought | null> {
    const { question } = look;
    if (question.ask !== "range") return newestAndOlder(compared, memory);
    const { held } = compared;
    const { since } = question;
    const tally = await range(compared, memory, { since, held: held?.messages ?? 0, isForced: false });
    if (tally === null) return null;
    return { tally, held: await digestOf(compared), isHubSteady: false };
  }

  return async (compared, memory) => {
    const { refused, held } = compared;
    const known = { ...NOTHING, errors: refused };
    const look = lookAt(compared, { refused, before: memory.look, limits });
    if (isAnswered(memory.look, look, held)) {
      note(memory, look);
      return known;
    }
    const brought = await bring(compared, memory, look);
    if (brought === null) {
      memory.look = look;
      return known;
    }
    const { tally } = brought;
    const after = lookAfter(compared, memory.look, brought);
    memory.look = after;
    // A CRM that took some and tells of none counts by no chat: what it has is not known.
    if (brought.held === undefined && tally.errors < tally.processed) delete memory.look;
    return { ...tally, errors: after.refused };
  };
}
