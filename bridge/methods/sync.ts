/** Syncs on order, what became of them, and how far the bridge is behind the hub. */
import { z } from "zod";
import type { CrmAdapter } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import { BridgeError, CrmMisconfigured, CrmUnavailable } from "../errors.ts";
import type { FeedLag } from "../feed-lag.ts";
import type { HubClient } from "../hub-client.ts";
import type { LatestProgress } from "../latest-progress.ts";
import type { Connection, SyncJob } from "../state/bridge-state.ts";
import type { SyncQueue } from "../sync/sync-queue.ts";
import { jobAnswer } from "./job-answer.ts";
import { flagArgument, method, secondsArgument, word, type Method } from "./method.ts";
import { sessionNamed } from "./session-name.ts";

/** A caller's own patience ends at 30 seconds. */
const MAX_WAIT_SECONDS = 25;

export interface SyncParts {
  hub: HubClient;
  adapter: CrmAdapter;
  queue: Pick<SyncQueue, "request" | "wait" | "jobs">;
  progress: LatestProgress;
  connections: { list(): Connection[]; get(sessionId: string): Connection | null };
  feedLag: () => Promise<FeedLag>;
  /** Why no sync begins, and what helps; null once the CRM takes records. */
  crmProblem: () => string | null;
  clock: Clock;
}

export function syncMethods(parts: SyncParts): Method[] {
  const { hub, adapter, queue, progress, crmProblem, clock } = parts;

  const sync = async (
    name: string,
    waitSeconds: number,
    { parts: wanted, isFull = false }: { parts?: SyncJob["parts"]; isFull?: boolean } = {},
  ) => {
    const { sessionId, isConnected } = await sessionNamed(name, { hub, adapter });
    if (!isConnected) return { success: false, message: `Session ${sessionId} is not connected.` };
    const requested = await queue.request(sessionId, isFull ? "full" : "manual", wanted);
    const job = waitSeconds > 0 ? await queue.wait(requested.jobId, waitSeconds * 1000) : requested;
    return {
      success: true,
      session: sessionId,
      timestamp: clock.now().toISOString(),
      ...jobAnswer(job, progress.of(job.jobId), crmProblem()),
    };
  };

  return [
    method({
      name: "api.sync.sync_session_complete",
      role: "admin",
      args: {
        session_name: word,
        /** Reads everything, not only what changed since the last sync: for a CRM that lost records. */
        full: flagArgument(false),
        wait: secondsArgument(MAX_WAIT_SECONDS).default(0),
      },
      run: ({ session_name: name, full, wait }) => sync(name, wait, { isFull: full }),
    }),
    method({
      name: "api.sync.sync_session_data",
      role: "admin",
      args: {
        session_name: word,
        sync_contacts_flag: flagArgument(true),
        sync_conversations_flag: flagArgument(true),
        sync_messages_flag: flagArgument(true),
        wait: secondsArgument(MAX_WAIT_SECONDS).default(0),
      },
      run: (args) =>
        sync(args.session_name, args.wait, {
          parts: {
            contacts: args.sync_contacts_flag,
            chats: args.sync_conversations_flag,
            messages: args.sync_messages_flag,
          },
        }),
    }),
    method({
      name: "api.sync.get_sync_status",
      role: "read",
      args: {
        session_name: word.optional(),
        job_id: z.string().max(100).optional(),
        /** False: the CRM is not counted, for who asks every second how far a sync is. */
        totals: flagArgument(true),
      },
      run: async ({ session_name: name, job_id: jobId, totals }) => ({
        success: true,
        sessions: await statusOf(await sessionsAsked(name, jobId, parts), { name, jobId, totals }, parts),
      }),
    }),
  ];
}

async function sessionsAsked(
  name: string | undefined,
  jobId: string | undefined,
  { hub, adapter, queue, connections }: SyncParts,
): Promise<string[]> {
  if (jobId !== undefined) return [jobOf(jobId, queue).sessionId];
  if (name === undefined) return connections.list().map(({ sessionId }) => sessionId);
  // What is known here is answered even while the hub is away.
  if (connections.get(name) !== null) return [name];
  return [(await sessionNamed(name, { hub, adapter })).sessionId];
}

export function jobOf(jobId: string, queue: Pick<SyncQueue, "jobs">): SyncJob {
  const job = queue.jobs().find((one) => one.jobId === jobId);
  if (job === undefined) throw new BridgeError("JOB_NOT_FOUND", "There is no sync job of this id.");
  return job;
}

async function statusOf(
  sessionIds: string[],
  { name, jobId, totals }: { name: string | undefined; jobId: string | undefined; totals: boolean },
  parts: SyncParts,
) {
  const isAskedFor = name !== undefined || jobId !== undefined;
  const { mark, hubSeq, lag } = await parts.feedLag();
  const behind = { last_seq: mark, hub_seq: hubSeq, lag };
  return Promise.all(
    sessionIds.map(async (sessionId) => {
      const row = parts.connections.get(sessionId);
      const status = row?.status ?? null;
      const jobs = parts.queue.jobs(sessionId);
      const job = jobId === undefined ? newest(jobs) : jobs.find((one) => one.jobId === jobId);
      return {
        session: sessionId,
        status,
        is_connected: status === "connected",
        last_sync: newest(jobs.filter((one) => one.status === "completed"))?.finishedAt ?? null,
        ...behind,
        // Of all that are known some may be gone from the hub for long: the CRM is not counted for each of them every time.
        ...(totals && (isAskedFor || row?.sessionExists !== false)
          ? await totalsOf(sessionId, parts.adapter)
          : NO_TOTALS),
        job: job === undefined ? null : jobAnswer(job, parts.progress.of(job.jobId), parts.crmProblem()),
      };
    }),
  );
}

/** By its place, not by its time: the clock may have been set back since. */
const newest = (jobs: SyncJob[]): SyncJob | undefined => jobs.at(-1);

const NO_TOTALS = { total_contacts: null, total_chats: null, total_messages: null };

/** Null while the CRM cannot be asked: the rest of the answer is worth having all the same. */
async function totalsOf(sessionId: string, adapter: CrmAdapter) {
  try {
    const { contacts, chats, messages } = await adapter.totals(sessionId);
    return { total_contacts: contacts, total_chats: chats, total_messages: messages };
  } catch (cause) {
    if (cause instanceof CrmUnavailable || cause instanceof CrmMisconfigured) return NO_TOTALS;
    throw cause;
  }
}
