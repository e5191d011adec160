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
  for await (const page of pages) {
    const tally = await writePage(page, context);
    run.save({ messages: addTally(run.job().messages, tally) });
    run.madeGood(page.isLast ? null : page.nextCursor);
    const end = page.isLast ? null : isOver();
    if (end !== null) return end;
  }
  return null;
}

async function writePage(
  { items, position }: ReadPage<Message>,
  { sessionId, adapter, writer }: Context,
): Promise<Tally> {
  const byChat = new Map<string, Message[]>();
  for (const message of items) byChat.set(message.chatId, [...(byChat.get(message.chatId) ?? []), message]);
  const digests = byChat.size === 0 ? [] : await adapter.chatDigests(sessionId, [...byChat.keys()]);
  let tally = NOTHING;
  for (const { chatId, oldest } of digests) {
    const held = (byChat.get(chatId) ?? []).filter(isFrom(oldest)).sort((a, b) => a.timestamp - b.timestamp);
    if (held.length === 0) continue;
    tally = addTally(tally, await writer.messages({ sessionId, chatId, items: held, position }));
  }
  return tally;
}

const isFrom =
  (oldest: ChatDigest["oldest"]) =>
  ({ timestamp }: Message): boolean =>
    oldest !== null && timestamp >= oldest;
