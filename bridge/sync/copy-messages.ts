/** The step `messages`: the newest messages of the chosen chats, each chat's page written oldest first. */
import type { Message } from "../records.ts";
import { afterMessages, withChats } from "./checkpoint.ts";
import { chooseChats } from "./choose-chats.ts";
import { oneAhead, readPages, type ReadPage } from "./read-pages.ts";
import { placeOf, type StepContext, type SyncStepWork } from "./sync-run.ts";
import { addTally } from "./tally.ts";

type MessagePage = ReadPage<Message> & { chatId: string };

export const copyMessages: SyncStepWork = async (context) => {
  const { run, sessionId, writer, isOver } = context;
  const { parts } = run.job();
  await chooseOnce(context);
  for await (const { chatId, ...page } of oneAhead(messagePages(context))) {
    const items = page.items.toReversed();
    const tally =
      items.length === 0
        ? null
        : await writer.messages({ sessionId, chatId, items, position: page.position });
    const checkpoint = afterMessages(placeOf(run), { ...page, chatId, items: items.length }, parts);
    await run.save({
      checkpoint,
      step: checkpoint.step,
      done: checkpoint.done,
      ...(checkpoint.step === "messages" ? {} : { total: 0 }),
      ...(tally === null ? {} : { messages: addTally(run.job().messages, tally) }),
    });
    const end = isOver();
    if (end !== null) return end;
  }
  return null;
};

/** Decided once in a pass, and kept. A job that goes on from another's place takes over its choice. */
async function chooseOnce({ run, sessionId, limits, hub, adapter }: StepContext): Promise<void> {
  const place = placeOf(run);
  const { parts, step, total } = run.job();
  if (place.chatIds.length > 0) {
    const atMost = place.done + place.chatIds.length * limits.messagesPerChat;
    const isKnown = step === "messages" && total > 0;
    await run.save({ step: "messages", done: place.done, total: isKnown ? total : atMost });
    return;
  }
  const all = place.since === null;
  const { chatIds, messages } = await chooseChats(sessionId, { hub, adapter, limits, all });
  const checkpoint = withChats(place, chatIds, parts);
  await run.save({ checkpoint, step: checkpoint.step, done: 0, total: messages });
}

async function* messagePages({ run, sessionId, hub, limits }: StepContext): AsyncGenerator<MessagePage> {
  const { chatIds, cursor, inChat } = placeOf(run);
  for (const [index, chatId] of chatIds.entries()) {
    let isRead = false;
    const pages = readPages({
      read: (page) => hub.messages(sessionId, chatId, page),
      limit: limits.messagesPerChat,
      ...(index === 0 ? { from: { cursor, done: inChat } } : {}),
    });
    for await (const page of pages) {
      isRead ||= page.isLast;
      yield { ...page, chatId };
    }
    // The limit is lower than when the chat was begun: there is nothing more to read in it.
    if (!isRead) yield { ...NOTHING_MORE, chatId };
  }
}

const NOTHING_MORE: ReadPage<Message> = {
  items: [],
  total: 0,
  nextCursor: null,
  position: 0,
  done: 0,
  isLast: true,
};
