/**
 * Work of the store that nobody waits for, in small batches between the hub's other work: each hour what has been kept long
 * enough goes, and every few seconds the words of new messages become findable. While the hub does not keep up with its work,
 * both are put off. Each hourly round is a row of the audit log, also one that found nothing.
 */
import { doneBy } from "../core/audit.ts";
import type { ErasureStore } from "../core/erasure.ts";
import type { IsClockTrusted } from "../core/clock-trust.ts";
import { noPressure, type CanWait, type Pressure } from "../core/pressure.ts";
import type {
  AuditStore,
  EventStore,
  InboxStore,
  IntakeStore,
  MarkStore,
  MediaStore,
  OutboxStore,
  SendStore,
  Store,
} from "../core/store.ts";
import { removeLeftFiles, type LeftFilesParts } from "./left-files.ts";
import { removeOldMessages, type OldMessageParts } from "./old-messages.ts";
import type { SchemaCopies } from "./schema-copies.ts";

const DAY_MS = 86_400_000;
/** Readers of the feed and replays reach back so far; an older position is answered with EVENTS_EXPIRED. */
const EVENTS_MS = 30 * DAY_MS;
const ATTEMPTS_MS = 14 * DAY_MS;
/** Stanzas that were recorded: long enough to look into what went wrong. */
const BLOBS_MS = 2 * DAY_MS;
/** As long as WhatsApp may deliver something once more. */
const REDELIVERY_MS = 14 * DAY_MS;
const AUDIT_MS = 365 * DAY_MS;
/** A file that nobody sent, and no address leads to: as long as the address it was given at first. */
const UPLOADS_MS = 7 * DAY_MS;
/** Somebody who has to go back to the version before has done so by then. */
const SCHEMA_COPIES_MS = 7 * DAY_MS;
/** Longer than any of them means something. */
const MARKS_MS = 60 * DAY_MS;

/** Writes the index of search anew, which costs what it holds: not each hour, for the few messages that an hour takes. */
const TRACES_MS = DAY_MS;
const TRACES_MARK = "search:traces-removed";

const EVERY_MS = 60 * 60_000;
/** Not while the hub connects its accounts. */
const FIRST_MS = 60_000;
/** A round that was put off, or broken off, by a busy hub. */
const LATER_MS = 5 * 60_000;
const WORDS_EVERY_MS = 3_000;
const BATCH = 500;

export interface Upkeep {
  /** One whole round, now. */
  run(): Promise<void>;
  /** Resolves when nothing of it touches the store any more. */
  stop(): Promise<void>;
}

export interface UpkeepParts extends Omit<OldMessageParts & LeftFilesParts, "isStopped"> {
  intake: Pick<IntakeStore, "prune">;
  inbox: Pick<InboxStore, "indexWords" | "removeOld">;
  events: Pick<EventStore, "forget">;
  outbox: Pick<OutboxStore, "forgetAttempts">;
  audit: Pick<AuditStore, "append" | "forget">;
  marks: Pick<MarkStore, "get" | "set" | "forget">;
  sends: Pick<SendStore, "forgetAnswers">;
  media: Pick<MediaStore, "left" | "cleared" | "forgetUploads">;
  erasure: Pick<ErasureStore, "areWordsLeft" | "eraseWords" | "emptyLog">;
  giveBack: Store["giveBack"];
  schemaCopies?: SchemaCopies;
  isClockTrusted: IsClockTrusted;
  pressure?: Pressure;
}

export function startUpkeep(parts: UpkeepParts): Upkeep {
  const { intake, inbox, events, outbox, audit, marks, sends, media, erasure, giveBack } = parts;
  const { clock, isClockTrusted, log, pressure = noPressure } = parts;
  let isStopped = false;
  let isPutOff = false;

  /** Whether to do no more of it now. */
  function isTooBusy(what: CanWait): boolean {
    if (!pressure.sheds(what)) return false;
    if (what === "retention") isPutOff = true;
    return true;
  }

  /** Until a batch does less than `least`, with a turn for everybody else in between. */
  async function all(what: CanWait, batch: () => Promise<number>, least = 1): Promise<number> {
    let total = 0;
    for (let gone = least; gone >= least && !isStopped && !isTooBusy(what); total += gone) {
      gone = await batch();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return total;
  }

  /** From the start of the log each time: what is owed no more since the last round goes as well. */
  async function oldEvents(until: Date): Promise<number> {
    let total = 0;
    let after: number | null = 0;
    while (after !== null && !isStopped && !isTooBusy("retention")) {
      const { removed, place } = await events.forget({ before: until, after, limit: BATCH });
      total += removed;
      after = place;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return total;
  }

  /** Words of messages that went. What is broken off goes on at the next round. */
  async function wordsOfGone(): Promise<void> {
    const last = await marks.get(TRACES_MARK);
    const isDue = last === null || clock.now().getTime() - last.getTime() >= TRACES_MS;
    if (!isDue || !(await erasure.areWordsLeft())) return;
    let isFirst = true;
    await all("retention", async () => {
      const isMore = await erasure.eraseWords(isFirst);
      isFirst = false;
      return isMore ? 1 : 0;
    });
    if (!(await erasure.areWordsLeft())) await marks.set(TRACES_MARK, clock.now());
  }

  async function round(): Promise<void> {
    isPutOff = false;
    if (!isClockTrusted() || isTooBusy("retention")) return;
    const before = (ms: number): Date => new Date(clock.now().getTime() - ms);
    const stanzas = await all("retention", () =>
      intake.prune({ blobsBefore: before(BLOBS_MS), rowsBefore: before(REDELIVERY_MS), limit: BATCH }),
    );
    const forgotten = await oldEvents(before(EVENTS_MS));
    const attempts = await all("retention", () => outbox.forgetAttempts(before(ATTEMPTS_MS), BATCH));
    const entries = await all("retention", () => audit.forget(before(AUDIT_MS), BATCH));
    await marks.forget(before(MARKS_MS));
    // Each keyed call does so as well; but the next one may never come.
    await sends.forgetAnswers(clock.now());
    const isOver = (): boolean => isStopped || isTooBusy("retention");
    const messages = await removeOldMessages({ ...parts, isStopped: isOver });
    const uploads = await all("retention", () =>
      media.forgetUploads({ before: before(UPLOADS_MS), now: clock.now(), limit: BATCH }),
    );
    await removeLeftFiles({ ...parts, isStopped: isOver });
    await wordsOfGone();
    const pages = await all("retention", () => giveBack(BATCH));
    // Pages stand in the log of the database as they were before.
    await erasure.emptyLog();
    const removed = { stanzas, events: forgotten, attempts, auditEntries: entries, messages, uploads, pages };
    if (Object.values(removed).some((count) => count > 0)) log.info(removed, "store.old_removed");
    await audit.append(doneBy("hub", "store.old_removed", clock.now(), { details: removed }));
    await parts.schemaCopies?.remove(before(SCHEMA_COPIES_MS));
  }

  /** One at a time; a failure is told and tried again at the next turn. */
  function once(work: () => Promise<unknown>, failure: string) {
    let running: Promise<unknown> | null = null;
    const run = (): Promise<unknown> => (running ??= work().finally(() => (running = null)));
    return {
      run,
      runOrSay: (): void => {
        if (!isStopped) run().catch((error: unknown) => log.error({ err: error }, failure));
      },
      idle: async () => {
        await Promise.allSettled([running]);
      },
    };
  }

  const old = once(round, "store.old_not_removed");
  const words = once(() => {
    isClockTrusted();
    // What comes meanwhile waits for the next time: a few words cost a commit as many do.
    return all("search_index", () => inbox.indexWords(BATCH), BATCH);
  }, "store.words_not_indexed");
  let next = setTimeout(oldInTime, FIRST_MS);
  next.unref();
  const hourly = setInterval(oldInTime, EVERY_MS);
  const often = setInterval(words.runOrSay, WORDS_EVERY_MS);
  for (const timer of [hourly, often]) timer.unref();

  function oldInTime(): void {
    old.runOrSay();
    void old.idle().then(() => {
      if (!isPutOff || isStopped) return;
      clearTimeout(next);
      next = setTimeout(oldInTime, LATER_MS);
      next.unref();
    });
  }

  return {
    run: async () => {
      await Promise.all([old.run(), words.run()]);
    },
    stop: async () => {
      isStopped = true;
      for (const timer of [next, hourly, often]) clearTimeout(timer);
      await Promise.all([old.idle(), words.idle()]);
    },
  };
}
