/**
 * History: what Baileys fetched and emits is stored in small transactions, then the stanza that announced it is done.
 * Baileys' buffer may merge chunks or be dropped with its socket: what stays open is fetched again after a reconnect.
 */
import type { Log } from "../core/log.ts";
import type { Fact } from "../core/facts.ts";
import { downloadAndProcessHistorySyncNotification, type AuthenticationCreds } from "./baileys.ts";
import type { Generation } from "./generation.ts";
import type { HistoryNotice } from "./intake.ts";
import { meOf } from "./message-of-stanza.ts";
import type { RecordFacts } from "./record.ts";
import {
  factsOfHistory,
  isImport,
  isOnDemand,
  syncTypeName,
  type HistoryChunk,
} from "./translate/history.ts";

/** Small enough that the event loop and live messages get their turn in between. */
const FACTS_AT_ONCE = 200;
const DAY_SECONDS = 86_400;
const COMPLETE = 100;

export interface HistoryRecorder {
  /** A chunk was announced; Baileys is fetching it. */
  announced(notice: HistoryNotice): void;
  /** Baileys emitted what it fetched. */
  received(chunk: EmittedChunk): void;
  /** Fetches and stores a chunk itself: one that an earlier connection left open, or one that somebody asked for. */
  fetchAgain(notice: HistoryNotice): Promise<void>;
  /** True while a chunk announced on this connection is still under way. */
  isUnderWay(digest: Uint8Array): boolean;
  /** Some chunk is. */
  isBusy(): boolean;
  /** Resolves when everything received so far is stored. */
  idle(): Promise<void>;
}

export type EmittedChunk = HistoryChunk & { chunkOrder?: number | null | undefined };

export function createHistoryRecorder({
  sessionId,
  creds,
  generation,
  record,
  historyDays,
  now,
  log,
}: {
  sessionId: string;
  creds: AuthenticationCreds;
  generation: Generation;
  record: RecordFacts;
  /** Messages older than this are left out; null keeps all. */
  historyDays: number | null;
  now: () => Date;
  log: Log;
}): HistoryRecorder {
  let open: HistoryNotice[] = [];
  const fetching = new Set<HistoryNotice>();
  let work: Promise<void> = Promise.resolve();

  /** `stages` are what it brings to an end. */
  async function store(
    chunk: HistoryChunk,
    { stages, closes }: { stages: Stage[]; closes: Uint8Array[] },
  ): Promise<void> {
    const me = meOf(creds);
    if (generation.isFenced() || me === null) return;
    // What somebody asked for is wanted, however old it is.
    const keepAll = historyDays === null || isOnDemand(chunk.syncType);
    const oldest = keepAll ? 0 : Math.floor(now().getTime() / 1000) - historyDays * DAY_SECONDS;
    const facts = factsOfHistory(sessionId, chunk, { me, oldest });
    facts.push(...stages.map(stageFact));
    for (let at = 0; at < facts.length; at += FACTS_AT_ONCE) {
      if (generation.isFenced()) return;
      const isLast = at + FACTS_AT_ONCE >= facts.length;
      await recordOrFence(facts.slice(at, at + FACTS_AT_ONCE), isLast ? closes : []);
      if (!isLast) await nextTurn();
    }
  }

  async function recordOrFence(facts: Fact[], closes: Uint8Array[]): Promise<void> {
    try {
      await record({ sessionId, facts, closes });
    } catch (cause) {
      generation.fence(cause);
    }
  }

  const inOrder = (job: () => Promise<void>): Promise<void> =>
    (work = work.then(job).catch((cause: unknown) => generation.fence(cause)));

  const recorder: HistoryRecorder = {
    announced: (notice) => {
      // Baileys tells of each chat but once, and so not whether the phone has still more of it: that is read from the chunk.
      if (isOnDemand(notice.notification.syncType)) void recorder.fetchAgain(notice);
      else open.push(notice);
    },
    received: (chunk) => {
      // Baileys fetches one after the other, so this event holds the announced chunk and all before it.
      const last = open.findLastIndex(
        ({ notification }) =>
          notification.syncType === chunk.syncType &&
          (notification.chunkOrder ?? 0) === (chunk.chunkOrder ?? 0),
      );
      const done = open.slice(0, last + 1);
      open = open.slice(last + 1);
      // It may have merged several chunks into this one; the last of them is the one it names.
      const merged = done.slice(0, -1).map(({ notification }) => notification);
      const stages = [...merged, chunk].filter(({ syncType }) => !isOnDemand(syncType));
      void inOrder(() => store(chunk, { stages, closes: done.map(({ digest }) => digest) }));
    },
    fetchAgain: (notice) => {
      fetching.add(notice);
      return inOrder(async () => {
        if (generation.isFenced()) return;
        try {
          const chunk = await downloadAndProcessHistorySyncNotification(notice.notification, {});
          await store(chunk, { stages: [chunk], closes: [notice.digest] });
        } catch (cause) {
          // The phone offers a chunk for some days; the row stays open and the next connection tries again.
          const error = cause instanceof Error ? cause.name : "unknown";
          log.warn({ sessionId, error }, "whatsapp.history_not_fetched");
        } finally {
          fetching.delete(notice);
        }
      });
    },
    isUnderWay: (digest) =>
      [...open, ...fetching].some((notice) => Buffer.compare(notice.digest, digest) === 0),
    isBusy: () => open.length + fetching.size > 0,
    idle: () => work,
  };
  return recorder;
}

type Stage = Pick<HistoryChunk, "syncType" | "progress">;

/** Where the history stands after a chunk. */
function stageFact({ syncType, progress }: Stage): Fact {
  const isLast = isImport(syncType) && (progress ?? 0) >= COMPLETE;
  return {
    kind: "history",
    syncType: syncTypeName(syncType),
    progress: progress ?? null,
    import: isImport(syncType),
    done: isLast || isOnDemand(syncType),
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
