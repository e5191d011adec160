/** One run of a sync job as its steps see it: the job, the place it is at, and how both are kept. */
import type { CrmAdapter } from "../adapter.ts";
import type { Checkpoint, LostEvents, SyncJob, Tally } from "../state/bridge-state.ts";
import type { SyncLimits, SyncPlan } from "./budget.ts";
import type { ReadAhead } from "./read-ahead.ts";
import type { RecordWriter } from "./write-records.ts";

/** What a step may change of its job. */
export type JobChange = Partial<Pick<SyncJob, "step" | "done" | "total" | "checkpoint">> &
  Partial<Record<"contacts" | "chats" | "messages", Tally>>;

export interface SyncRun {
  /** The job as it is kept now. */
  job(): SyncJob;
  /** Up to when this session was synced before, Unix seconds; null: never. */
  syncedUntil: number | null;
  /** Takes effect at once and is kept soon: the disk is not waited for page by page, and what is read again is written once. */
  save(change: JobChange): void;
  plan(plan: SyncPlan): void;
  /** Since when events of this session are lost whose messages are still to be read, and where that goes on; null: none are. */
  lost(): LostEvents | null;
  /** As `save`: it goes on at this place; null: all of it was read. */
  madeGood(cursor: string | null): void;
  isStopped(): boolean;
}

/** `unanswered`: it waits for a CRM or a hub that does not answer, and was left. */
export type SyncEnd = "completed" | "timed_out" | "stopped" | "unanswered";

export interface StepContext {
  run: SyncRun;
  sessionId: string;
  hub: ReadAhead["hub"];
  ahead: ReadAhead;
  adapter: CrmAdapter;
  writer: RecordWriter;
  limits: SyncLimits;
  /** What the hub had when the run began. */
  there: { contacts: number; chats: number };
  /** Asked after each page is kept: a run never ends without having moved. */
  isOver: () => SyncEnd | null;
}

/** Null: the step came to its end. */
export type SyncStepWork = (context: StepContext) => Promise<SyncEnd | null>;

export function placeOf(run: SyncRun): Checkpoint {
  const { checkpoint } = run.job();
  if (checkpoint === null) throw new Error("the job has no checkpoint");
  return checkpoint;
}

/** The first place of a step, with what the step will have to do. */
export function entering(
  checkpoint: Checkpoint,
  { there, limits }: Pick<StepContext, "there" | "limits">,
): JobChange {
  const { step, done } = checkpoint;
  const total = step === "contacts" || step === "chats" ? Math.min(there[step], limits[step]) : 0;
  return { checkpoint, step, done, total };
}
