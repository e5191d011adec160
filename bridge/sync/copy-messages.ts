/**
 * The step `messages`: the newest messages of the chosen chats, each chat's written oldest first. Short chats are read and
 * written several together: an answer of the hub and a commit of the CRM cost the same for fifty messages as for two hundred.
 */
import type { Message } from "../records.ts";
import type { Tally } from "../state/bridge-state.ts";
import { afterMessages, withChats } from "./checkpoint.ts";
import { chooseChats } from "./choose-chats.ts";
import { chatsTogether } from "./read-ahead.ts";
import { oneAhead, readPages, type ReadPage } from "./read-pages.ts";
import { placeOf, type StepContext, type SyncStepWork } from "./sync-run.ts";
import { addTally, NOTHING } from "./tally.ts";

type MessagePage = ReadPage<Message> & { chatId: string };

export const copyMessages: SyncStepWork = async (context) => {
  const { run, isOver } = context;
  const { parts } = run.job();
  await chooseOnce(context);
  for await (const pages of oneAhead(messagePages(context))) {
    const tally = await writePages(pages, context);
    const checkpoint = pages.reduce(
      (place, page) => afterMessages(place, { ...page, items: page.items.length }, parts),
      placeOf(run),
    );
    run.save({
      checkpoint,
      step: checkpoint.step,
      done: checkpoint.done,
      ...(checkpoint.step === "messages" ? {} : { total: 0 }),
      messages: addTally(run.job().messages, tally),
    });
    const end = isOver();
    if (end !== null) return end;
  }
  return null;
};

/** The lane of a chat keeps its pages in order. What fails is told when the others have ended. */
async function writePages(pages: MessagePage[], { sessionId, writer }: StepContext): Promise<Tally> {
  const writes = pages
    .filter(({ items }) => items.length > 0)
    .map(({ chatId, items, position }) =>
      writer.messages({ sessionId, chatId, items: items.toReversed(), position }),
    );
  await Promise.allSettled(writes);
  return (await Promise.all(writes)).reduce(addTally, NOTHING);
}

/** Decided once in a pass, and kept. A job that goes on from another's place takes over its choice. */
async function chooseOnce({ run, sessionId, limits, hub, adapter }: StepContext): Promise<void> {
  const place = placeOf(run);
  const { parts, step, total } = run.job();
  if (place.chatIds.length > 0) {
    const atMost = place.done + place.chatIds.length * limits.messagesPerChat;
    const isKnown = step === "messages" && total > 0;
    run.save({ step: "messages", done: place.done, total: isKnown ? total : atMost });
    return;
  }
  const all = place.since === null;
  const { chatIds, messages } = await chooseChats(sessionId, { hub, adapter, limits, all });
  const checkpoint = withChats(place, chatIds, parts);
  run.save({ checkpoint, step: checkpoint.step, done: 0, total: messages });
}

/** Of a long chat each page by itself, of short ones all pages of several: those that follow are read meanwhile. */
async function* messagePages(context: StepContext): AsyncGenerator<MessagePage[]> {
  const { run, limits } = context;
  const { chatIds, cursor, inChat } = placeOf(run);
  const together = chatsTogether(limits);
  const [first, ...others] = chatIds;
  const isBegun = first !== undefined && cursor !== null;
  if (isBegun) for await (const page of pagesOf(first, context, { cursor, done: inChat })) yield [page];
  const rest = isBegun ? others : chatIds;
  if (together === 1) {
    for (const chatId of rest) for await (const page of pagesOf(chatId, context)) yield [page];
    return;
  }
  let reading = allPages(rest.slice(0, together), context);
  for (let next = together; next < rest.length + together; next += together) {
    const pages = reading;
    reading = allPages(rest.slice(next, next + together), context);
    // Its failure is told when its turn comes; until then, and if it never does, it is nobody's.
    reading.catch(() => undefined);
    yield await pages;
  }
}

async function allPages(chatIds: string[], context: StepContext): Promise<MessagePage[]> {
  const readings = chatIds.map(async (chatId) => {
    const pages: MessagePage[] = [];
    for await (const page of pagesOf(chatId, context)) pages.push(page);
    return pages;
  });
  await Promise.allSettled(readings);
  return (await Promise.all(readings)).flat();
}

async function* pagesOf(
  chatId: string,
  { sessionId, hub, limits }: StepContext,
  from?: { cursor: string | null; done: number },
): AsyncGenerator<MessagePage> {
  let isRead = false;
  const pages = readPages({
    read: (page) => hub.messages(sessionId, chatId, page),
    limit: limits.messagesPerChat,
    ...(from === undefined ? {} : { from }),
  });
  for await (const page of pages) {
    isRead ||= page.isLast;
    yield { ...page, chatId };
  }
  // The limit is lower than when the chat was begun: there is nothing more to read in it.
  if (!isRead) yield { ...NOTHING_MORE, chatId };
}

const NOTHING_MORE: ReadPage<Message> = {
  items: [],
  total: 0,
  nextCursor: null,
  position: 0,
  done: 0,
  isLast: true,
};
