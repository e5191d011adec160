/** The steps `contacts` and `chats`: a list of the hub into the CRM, page by page. */
import type { HubPage, PageQuery } from "../hub-client.ts";
import type { Tally } from "../state/bridge-state.ts";
import { afterPage, nextStep } from "./checkpoint.ts";
import { oneAhead, readPages, type ReadPage } from "./read-pages.ts";
import { entering, placeOf, type StepContext, type SyncEnd, type SyncStepWork } from "./sync-run.ts";
import { addTally } from "./tally.ts";

export const copyContacts: SyncStepWork = (context) => {
  const { run, sessionId, hub, ahead, writer } = context;
  return copyList(context, {
    part: "contacts",
    read: (page) => hub.contacts(sessionId, page),
    prepareNext: () => {
      if (run.job().parts.chats) ahead.chats(placeOf(run).since);
    },
    write: (page) => writer.contacts({ sessionId, items: page.items, position: page.position }),
  });
};

export const copyChats: SyncStepWork = (context) => {
  const { run, sessionId, hub, ahead, writer } = context;
  return copyList(context, {
    part: "chats",
    read: (page) => hub.chats(sessionId, page),
    prepareNext: () => {
      if (run.job().parts.messages) ahead.messages({ isWhole: placeOf(run).since === null });
    },
    write: (page) => writer.chats({ sessionId, items: page.items, position: page.position }),
  });
};

interface List<T> {
  part: "contacts" | "chats";
  read: (page: PageQuery) => Promise<HubPage<T>>;
  /** The last page is about to be written. */
  prepareNext: () => void;
  write: (page: ReadPage<T>) => Promise<Tally>;
}

async function copyList<T>(
  context: StepContext,
  { part, read, prepareNext, write }: List<T>,
): Promise<SyncEnd | null> {
  const { run, limits, isOver } = context;
  const { parts } = run.job();
  const limit = limits[part];
  const from = placeOf(run);
  const updatedAfter = from.since ?? undefined;
  const pages = readPages({ read: (page) => read({ ...page, updatedAfter }), limit, from });
  for await (const page of oneAhead(pages)) {
    if (page.isLast) prepareNext();
    const tally = page.items.length === 0 ? null : await write(page);
    const checkpoint = afterPage(placeOf(run), page, parts);
    run.save({
      ...(page.isLast
        ? entering(checkpoint, context)
        : { checkpoint, step: part, done: page.done, total: Math.min(limit, page.total) }),
      ...(tally === null ? {} : { [part]: addTally(run.job()[part], tally) }),
    });
    const end = isOver();
    if (end !== null) return end;
  }
  // Nothing to read: the limit is zero, or lower than when the step was begun.
  if (placeOf(run).step === part) run.save(entering(nextStep(placeOf(run), parts), context));
  return null;
}
