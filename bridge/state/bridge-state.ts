/**
 * The bridge's own small memory: connections, the place in the hub's event feed, sync jobs and what failed. Below a
 * megabyte and written by one process. Losing the last write is harmless: everything in it is read again from the hub.
 */
import { z } from "zod";
import type { Kept } from "./kept.ts";

const moment = z.iso.datetime();
const count = z.int().min(0);

/** What became of the records of one kind in one job. */
export const tallySchema = z.object({
  processed: count,
  created: count,
  updated: count,
  unchanged: count,
  errors: count,
});
export type Tally = z.infer<typeof tallySchema>;

/** One account as the bridge knows it, independent of the CRM. */
export const connectionSchema = z.object({
  sessionId: z.string(),
  /** Name and number of the session as the hub's list told them; null until it did. */
  sessionName: z.string().nullable().default(null),
  sessionDbId: z.int().nullable().default(null),
  phoneNumber: z.string().nullable(),
  status: z.enum(["connected", "connecting", "qr_code", "disconnected", "error"]),
  /** False once the hub does not know the session any more. */
  sessionExists: z.boolean(),
  lastConnectedAt: moment.nullable(),
  lastDisconnectedAt: moment.nullable(),
  lastDisconnectReason: z.string().nullable(),
  /** A person ended it: never undone by an automatic reconnect. */
  manuallyDisconnected: z.boolean(),
  disconnectedBy: z.string().nullable(),
  /** When its end was last ordered through the bridge: what was told before that does not undo it. */
  disconnectOrderedAt: moment.nullable().default(null),
  /** The hub's newest `seq` once that was done, which needs no two clocks that agree; null: the hub did not tell it. */
  disconnectOrderedSeq: count.nullable().default(null),
  /** Who ordered the last connection, and when; null where nobody was told of. */
  connectOrderedBy: z.string().nullable().default(null),
  connectOrderedAt: moment.nullable().default(null),
  /** The same of the last connection that was ordered through the bridge. */
  connectOrderedSeq: count.nullable().default(null),
  /** Who had the hub make it, where that was ordered through the bridge. */
  createdBy: z.string().nullable().default(null),
  reconnectAttempts: count,
  /** `seq` of the newest event applied to this row; older ones change nothing. */
  seq: count,
});
export type Connection = z.infer<typeof connectionSchema>;

/** One loss of a connection, newest last; a bounded list. */
export const disconnectionSchema = z.object({
  sessionId: z.string(),
  at: moment,
  reason: z.string().nullable(),
  by: z.string().nullable(),
});
export type Disconnection = z.infer<typeof disconnectionSchema>;

/** A difference between hub and registry that a reconcile found, and what was done about it. */
export const correctionSchema = z.object({
  sessionId: z.string(),
  at: moment,
  field: z.string(),
  from: z.string(),
  to: z.string(),
});
export type Correction = z.infer<typeof correctionSchema>;

export const SYNC_STEPS = ["check", "contacts", "chats", "messages", "stats"] as const;
export type SyncStep = (typeof SYNC_STEPS)[number];

/**
 * queued      waits for its turn (crash: still queued)
 * running     being done by this process (crash: put back to queued at the next start, with its checkpoint)
 * waiting     a try failed; tried again at `nextTryAt`
 * completed   came to its end; final
 * incomplete  its time ran out; the next job of the session goes on from its checkpoint; final
 * failed      three tries failed, `error` says why; a person or the next hour starts it again; final
 */
export const syncStatusSchema = z.enum(["queued", "running", "waiting", "completed", "incomplete", "failed"]);
export type SyncStatus = z.infer<typeof syncStatusSchema>;

/** Where a job stopped: pages before it are in the CRM. */
export const checkpointSchema = z.object({
  step: z.enum(SYNC_STEPS),
  /** `nextCursor` of the last page written; null at the start of a step. */
  cursor: z.string().nullable(),
  /** Records of this step already written. */
  done: count,
  /** Chats whose messages are still to be read, in order; empty until the step `messages` has chosen them. */
  chatIds: z.array(z.string()),
  /** Messages of the first of them that are already written. */
  inChat: count,
  /** When this pass over the lists began, Unix seconds: what changes later belongs to the next pass. */
  begun: count,
  /** The lists are read for what changed since, Unix seconds; null reads them whole. A cursor is bound to it. */
  since: count.nullable(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

export const syncJobSchema = z.object({
  jobId: z.string(),
  sessionId: z.string(),
  /** Who asked: `connected`, `hourly`, `manual`, `gap`, `reset`; requests that met are all named. */
  reasons: z.array(z.string()),
  parts: z.object({ contacts: z.boolean(), chats: z.boolean(), messages: z.boolean() }),
  status: syncStatusSchema,
  step: z.enum(SYNC_STEPS),
  done: count,
  total: count,
  attempts: count,
  nextTryAt: moment.nullable(),
  requestedAt: moment,
  startedAt: moment.nullable(),
  finishedAt: moment.nullable(),
  error: z.string().nullable(),
  checkpoint: checkpointSchema.nullable(),
  contacts: tallySchema,
  chats: tallySchema,
  messages: tallySchema,
});
export type SyncJob = z.infer<typeof syncJobSchema>;

/** One record that could not be written; kept until it is retried with success. */
export const failedItemSchema = z.object({
  id: z.string(),
  sessionId: z.string(),
  kind: z.enum(["contact", "chat", "message", "event"]),
  key: z.string(),
  error: z.string(),
  attempts: count,
  at: moment,
});
export type FailedItem = z.infer<typeof failedItemSchema>;

/** What the hourly comparison of one session last found. */
export const comparisonSchema = z.object({
  at: moment,
  contacts: count,
  chats: count,
  messages: count,
  repaired: count,
  /** What the CRM has and the hub has not: told, never touched. The CRM may keep longer, or somebody wrote there. */
  extra: z
    .object({
      chats: count,
      messages: count,
      /** Where those messages are; the first few. */
      inChats: z.array(z.object({ chatId: z.string(), messages: count })),
    })
    .default({ chats: 0, messages: 0, inChats: [] }),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/**
 * One pass over a client directory.
 *
 * queued      recorded, about to begin (crash: taken up at the next start)
 * running     being done by this process (crash or stop: taken up at the next start, after `page`)
 * completed   every page was read; clients that failed are in `failed`
 * incomplete  its time ran out; the next run goes on after `page`
 * failed      a page, the directory or the CRM failed, `error` says why; goes on by itself a few times and by a retry, a new start begins anew
 */
export const directoryJobSchema = z.object({
  jobId: z.string(),
  source: z.string(),
  status: z.enum(["queued", "running", "completed", "incomplete", "failed"]),
  page: count,
  totalPages: count,
  totalRecords: count,
  /** Clients on a page, as the directory said; 0 before its first answer. Another size makes page numbers mean other clients. */
  perPage: count,
  /** Clients that were on the pages read so far; null: begun by a version that did not count them. */
  records: count.nullable().default(null),
  /** Clients of a page that were counted when a run ended in its middle. */
  ahead: z.object({ page: count, clients: count }).nullable().default(null),
  created: count,
  updated: count,
  unchanged: count,
  skipped: count,
  errors: count,
  startedAt: moment.nullable(),
  finishedAt: moment.nullable(),
  error: z.string().nullable(),
  /** Pages and clients that failed, to be retried one or all. */
  failed: z.array(
    z.object({
      id: z.string(),
      page: count,
      externalId: z.string().nullable(),
      error: z.string(),
      attempts: count,
    }),
  ),
});
export type DirectoryJob = z.infer<typeof directoryJobSchema>;

/** Events of a session that are not to be had any more: messages that changed since then are read again. */
export const lostEventsSchema = z.object({
  /** Unix seconds, by the hub's clock. */
  since: count,
  /** `nextCursor` of the last page written; null at the start. */
  cursor: z.string().nullable(),
});
export type LostEvents = z.infer<typeof lostEventsSchema>;

export const bridgeDataSchema = z.object({
  /** The hub these positions belong to; another one, or another epoch, makes them worthless. */
  hub: z.object({ hubId: z.string(), epoch: z.int() }).nullable(),
  /** Every event up to here is applied. Moved by reading the feed only: pushed events overtake one another. */
  mark: count,
  /** When the event at the mark was told, Unix seconds; null: not known. */
  markAt: count.nullable().default(null),
  /** Added to every position told to the CRM; rises when the hub's count begins anew (`position-base.ts`). */
  positionBase: count.default(0),
  /** The bridge's own endpoint at the hub, the last addresses it gave it, the newest first, and when it last found it there. */
  endpoint: z
    .object({ id: z.string(), urls: z.array(z.string()), lookedAt: moment.nullable().default(null) })
    .nullable()
    .default(null),
  connections: z.record(z.string(), connectionSchema),
  disconnections: z.array(disconnectionSchema),
  corrections: z.array(correctionSchema),
  jobs: z.array(syncJobSchema),
  failedItems: z.array(failedItemSchema),
  comparisons: z.record(z.string(), comparisonSchema),
  /** Unix seconds up to which a session's lists were fully synced; the next sync asks for what changed since. */
  syncedUntil: z.record(z.string(), count),
  lostEvents: z.record(z.string(), lostEventsSchema).default({}),
  directoryJobs: z.array(directoryJobSchema),
});
export type BridgeData = z.infer<typeof bridgeDataSchema>;

export const emptyBridgeData = (): BridgeData => ({
  hub: null,
  mark: 0,
  markAt: null,
  positionBase: 0,
  endpoint: null,
  connections: {},
  disconnections: [],
  corrections: [],
  jobs: [],
  failedItems: [],
  comparisons: {},
  syncedUntil: {},
  lostEvents: {},
  directoryJobs: [],
});

export type BridgeState = Kept<BridgeData>;
