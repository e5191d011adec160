/**
 * What webhooks and syncs missed is found by comparing: every few minutes the hub's sessions with the connection
 * registry, every hour each chat with the CRM. How many differences there were is kept, logged and answered; what the CRM has
 * beyond the hub is told as well, and left alone.
 */
import type { CrmAdapter } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import { schedule, type Scheduled } from "../cron.ts";
import { failureFacts } from "../errors.ts";
import type { FailedItems } from "../failed-items.ts";
import type { HubClient } from "../hub-client.ts";
import type { Lanes } from "../lanes.ts";
import type { Log } from "../log.ts";
import { without } from "../own.ts";
import type { BridgeState, Comparison, Correction, SyncJob } from "../state/bridge-state.ts";
import type { SyncLimits } from "./budget.ts";
import { createSessionComparison } from "./compare-session.ts";
import { createSessionReconcile, type SessionRegistry } from "./reconcile-sessions.ts";
import { isFinal, isWhole } from "./sync-job.ts";
import type { SyncQueue } from "./sync-queue.ts";
import { createRecordWriter } from "./write-records.ts";

export interface ReconcileResult extends Comparison {
  /** Contacts, chats and messages together. */
  differences: number;
  /** Sessions that could not be compared. */
  errors: { session: string; error: string }[];
}

export interface Reconcile {
  /** Then the feed is read to its end. @throws HubUnavailable */
  sessions(): Promise<Correction[]>;
  /**
   * One session, or all; of all, one that cannot be compared is named in `errors` and the others go on.
   * @throws CrmUnavailable, CrmMisconfigured, HubUnavailable when one session was asked for
   */
  messages(sessionId?: string): Promise<ReconcileResult>;
  start(): void;
  /** What is being compared is left after the session, the page of contacts or the chat at hand. */
  stop(): Promise<void>;
}

export interface ReconcileParts {
  hub: HubClient;
  state: BridgeState;
  adapter: CrmAdapter;
  connections: SessionRegistry;
  feed: { read(): Promise<unknown> };
  queue: Pick<SyncQueue, "request" | "jobs" | "wait">;
  lanes: Lanes;
  limits: SyncLimits;
  failed: FailedItems;
  /** When sessions are compared; null: neither they nor messages are by themselves. */
  cron: string | null;
  syncOnConnect: boolean;
  clock: Clock;
  log: Log;
}

/** Not at :00, when everybody's jobs begin. */
const HOURLY = "23 * * * *";

export function createReconcile(parts: ReconcileParts): Reconcile {
  const { hub, state, connections, feed, queue, limits, cron, syncOnConnect, clock, log } = parts;
  let isStopped = false;
  const stopping = { isStopped: () => isStopped };
  const comparing = createSessionComparison({ ...parts, ...stopping, writer: createRecordWriter(parts) });
  const readFeed = async (): Promise<void> => {
    try {
      await feed.read();
    } catch (cause) {
      // The comparison goes on without: what the feed would have told is found as a difference.
      log.warn(failureFacts(cause), "reconcile.feed_not_read");
    }
  };
  const compareSessions = createSessionReconcile({
    ...parts,
    ...stopping,
    connections,
    readFeed: () => feed.read(),
    cameOn: async ({ sessionId, connectedAt }) => {
      if (!syncOnConnect || hasSyncedSince(connectedAt, queue.jobs(sessionId))) return;
      await queue.request(sessionId, "connected");
    },
    wentAway: async (sessionId) => {
      comparing.forget(sessionId);
      await state.update((data) => {
        data.comparisons = without(data.comparisons, sessionId);
        data.syncedUntil = without(data.syncedUntil, sessionId);
        data.lostEvents = without(data.lostEvents, sessionId);
        data.failedItems = data.failedItems.filter((item) => item.sessionId !== sessionId);
        data.jobs = data.jobs.filter((job) => job.sessionId !== sessionId || !isFinal(job));
      });
    },
  });
  const tasks: Scheduled[] = [];
  const underWay = new Map<string, Promise<Comparison>>();

  /** A sync brings the same records: they are no differences. */
  async function afterSync(sessionId: string): Promise<void> {
    const job = queue.jobs(sessionId).find(({ status }) => status === "queued" || status === "running");
    if (job !== undefined) await queue.wait(job.jobId, limits.timeoutMs);
  }

  async function compareNow(sessionId: string): Promise<Comparison> {
    await afterSync(sessionId);
    const comparison = await comparing.compare(sessionId);
    if (isStopped) return comparison; // half a comparison is none
    await state.update((data) => {
      data.comparisons[sessionId] = comparison;
    });
    const differences = differencesOf(comparison);
    const { extra, ...counts } = comparison;
    // Chats are named by numbers: the log gets how many.
    const more = { extraChats: extra.chats, extraMessages: extra.messages };
    log.info({ sessionId, differences, ...counts, ...more }, "reconcile.compared");
    return comparison;
  }

  function compareOnce(sessionId: string): Promise<Comparison> {
    const running = underWay.get(sessionId);
    if (running !== undefined) return running;
    const work = compareNow(sessionId).finally(() => underWay.delete(sessionId));
    underWay.set(sessionId, work);
    return work;
  }

  async function compareAll(): Promise<ReconcileResult> {
    const comparisons: Comparison[] = [];
    const errors: ReconcileResult["errors"] = [];
    for (const { sessionId } of await hub.sessions()) {
      if (isStopped) break;
      try {
        comparisons.push(await compareOnce(sessionId));
      } catch (cause) {
        log.error({ sessionId, ...failureFacts(cause) }, "reconcile.not_compared");
        errors.push({ session: sessionId, error: cause instanceof Error ? cause.message : String(cause) });
      }
    }
    const sum = comparisons.reduce(added, { ...NO_DIFFERENCE, at: clock.now().toISOString() });
    return { ...sum, differences: differencesOf(sum), errors };
  }

  /** What is still on its way as an event is no difference. */
  const messages = async (sessionId?: string): Promise<ReconcileResult> => {
    await readFeed();
    if (sessionId === undefined) return compareAll();
    const comparison = await compareOnce(sessionId);
    return { ...comparison, differences: differencesOf(comparison), errors: [] };
  };

  const sessions = inFlight(async () => {
    const corrections = await compareSessions();
    await readFeed();
    return corrections;
  });

  return {
    sessions: sessions.run,
    messages,
    start: () => {
      isStopped = false;
      if (cron === null || tasks.length > 0) return;
      tasks.push(
        schedule(cron, sessions.run, { log }),
        schedule(HOURLY, () => messages(), { log }),
      );
    },
    stop: async () => {
      isStopped = true;
      for (const task of tasks.splice(0)) task.stop();
      await Promise.allSettled([...underWay.values(), sessions.running()]);
    },
  };
}

const NO_DIFFERENCE = {
  contacts: 0,
  chats: 0,
  messages: 0,
  repaired: 0,
  extra: { chats: 0, messages: 0, inChats: [] },
};

const differencesOf = ({ contacts, chats, messages }: Comparison): number => contacts + chats + messages;

const added = (a: Comparison, b: Comparison): Comparison => ({
  at: a.at,
  contacts: a.contacts + b.contacts,
  chats: a.chats + b.chats,
  messages: a.messages + b.messages,
  repaired: a.repaired + b.repaired,
  extra: {
    chats: a.extra.chats + b.extra.chats,
    messages: a.extra.messages + b.extra.messages,
    inChats: [...a.extra.inChats, ...b.extra.inChats],
  },
});

/** Who asks while it runs gets the answer of that run. */
function inFlight<T>(work: () => Promise<T>) {
  let running: Promise<T> | null = null;
  const run = (): Promise<T> =>
    (running ??= work().finally(() => {
      running = null;
    }));
  return { run, running: () => running };
}

/** The first look at a hub brings all of a connected account: what found it connected need not do it again. A part of it is not all. */
const hasSyncedSince = (connectedAt: string | null, jobs: SyncJob[]): boolean =>
  connectedAt !== null &&
  jobs.some(
    ({ status, startedAt, parts }) =>
      status === "completed" &&
      isWhole(parts) &&
      startedAt !== null &&
      Date.parse(startedAt) >= Date.parse(connectedAt),
  );
