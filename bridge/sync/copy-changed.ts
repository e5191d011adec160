/**
 * After events were lost: messages that changed in the hub since then, wherever in their chats they are. What the CRM has from
 * the first message of a chat on is made as it is in the hub; what lies before that, or in chats it has not, is not its own.
 */
import type { ChatDigest } from "../adapter.ts";
import type { HubClient } from "../hub-client.ts";
import type { Message } from "../records.ts";
import type { Tally } from "../state/bridge-state.ts";
import { readPages, type ReadPage } from "./read-pages.ts";
import type { StepContext, SyncEnd } from "./sync-run.ts";
import { addTally, NOTHING } from "./tally.ts";

const ALL = Number.MAX_SAFE_INTEGER;

type Context = Pick<StepContext, "run" | "sessionId" | "adapter" | "writer" | "isOver"> & {
  hub: Pick<HubClient, "changedMessages">;
};

/** Null: it came to its end, or nothing was lost. */
export async function copyChanged(context: Context): Promise<SyncEnd | null> {
  const { run, sessionId, hub, isOver } = context;
  const lost = run.job().parts.messages ? run.lost() : null;
  if (lost === null) return null;
  const pages = readPages({
    read: (page) => hub.changedMessages(sessionId, { ...page, updatedAfter: lost.since }),
    limit: ALL,
    from: { cursor: lost.cursor, done: 0 },
  });
  const begins = createBegins(context);
  for await (const page of pages) {
    const tally = await writePage(page, context, begins);
    run.save({ messages: addTally(run.job().messages, tally) });
    run.madeGood(page.isLast ? null : page.nextCursor);
    const end = page.isLast ? null : isOver();
    if (end !== null) return end;
  }
  return null;
}

async function writePage(
  { items, position }: ReadPage<Message>,
  { sessionId, writer }: Context,
  begins: Begins,
): Promise<Tally> {
  const byChat = new Map<string, Message[]>();
  for (const message of items) byChat.set(message.chatId, [...(byChat.get(message.chatId) ?? []), message]);
  const oldestOf = await begins([...byChat.keys()]);
  let tally = NOTHING;
  for (const [chatId, changed] of byChat) {
    const held = changed
      .filter(isFrom(oldestOf.get(chatId) ?? null))
      .sort((a, b) => a.timestamp - b.timestamp);
    if (held.length === 0) continue;
    tally = addTally(tally, await writer.messages({ sessionId, chatId, items: held, position }));
  }
  return tally;
}

/** The time of the first message that the CRM has of these chats, and of those asked before; null: it has none. */
type Begins = (chatIds: string[]) => Promise<ReadonlyMap<string, ChatDigest["oldest"]>>;

/** Asked once in a run for each chat: a CRM counts a whole chat to tell it, and the pages of a busy one are many. */
function createBegins({ sessionId, adapter }: Context): Begins {
  const oldestOf = new Map<string, ChatDigest["oldest"]>();
  return async (chatIds) => {
    const asked = chatIds.filter((chatId) => !oldestOf.has(chatId));
    const digests = asked.length === 0 ? [] : await adapter.chatDigests(sessionId, asked);
    for (const chatId of asked) oldestOf.set(chatId, null);
    for (const { chatId, oldest } of digests) oldestOf.set(chatId, oldest);
    return oldestOf;
  };
}

const isFrom =
  (oldest: ChatDigest["oldest"]) =>
  ({ timestamp }: Message): boolean =>
    oldest !== null && timestamp >= oldest;
