/** The outbox as a part of the store: what is owed to endpoints, in lanes, and what came of each try. */
import type { EventName } from "../contract/events.ts";
import type { Attempt, Delivery, DeliveryPatch, DeliveryState } from "./delivery.ts";
import type { NewEvent } from "./new-event.ts";
import type { Page, PageRequest } from "./page.ts";

export interface DueDelivery {
  n: number;
  laneId: number;
  endpointId: string;
  eventId: string;
  event: EventName;
  sessionId: string;
  seq: number;
  attempts: number;
  replay: boolean;
  body: string;
  /** Where the delivery stands among failures of this class; for rules that count them. */
  failure: Delivery["failure"];
  /** More waits in its lane: until this one is settled, none of it can leave. */
  hasFollowers: boolean;
}

export interface Settlement {
  n: number;
  laneId: number;
  patch: DeliveryPatch;
  /** Null when nothing was tried (a wait was only pushed back). */
  attempt: Attempt | null;
  /** A wait that must not hold its lane: the lane goes on, and this one comes back alone at `nextAttemptAt`. */
  aside?: boolean;
  /** Told in its session, in the same transaction; not told when a person gave it up meanwhile. */
  news?: NewEvent;
}

export interface DeliveryFilter {
  endpointId?: string | undefined;
  sessionId?: string | undefined;
  chatId?: string | undefined;
  /** `sending`: on its way now, which only the leases know. Of orders, `pending` and `retrying` mean those as well. */
  state?: DeliveryState | "sending" | undefined;
  event?: EventName | undefined;
  /** Unix milliseconds of the event. */
  since?: number | undefined;
  until?: number | undefined;
  afterSeq?: number | undefined;
}

/** An order to send many deliveries again. */
export interface ReplayJob {
  id: string;
  filter: DeliveryFilter;
  /** How many matched before anything moved; those that are owed anyway are among them, and not sent again. */
  matched: number;
  replayed: number;
  startedAt: Date;
  /** Null while it is under way. */
  finishedAt: Date | null;
}

export interface OutboxStore {
  /** Heads of lanes that are due, at most one per lane, none of a lane already leased. Leases end with `settle` or the process. */
  leaseDue(options: { endpointId: string; now: Date; limit: number }): Promise<DueDelivery[]>;
  /** When the next lane of an endpoint becomes due; null when nothing is owed. */
  nextDueAt(endpointId: string): Promise<Date | null>;
  /** Attempt rows, states, lanes and news of a batch in one transaction; ends the leases. When it fails they stay taken. */
  settle(settlements: Settlement[], now: Date): Promise<void>;
  /** Something that is due stands behind a leased head of its lane. */
  isBlocked(endpointId: string, now: Date): Promise<boolean>;
  /** Ends leases without a trace: nothing was sent. */
  release(laneIds: number[]): void;
  list(query: DeliveryFilter & PageRequest & { endpoints: "*" | string[] }): Promise<Page<Delivery>>;
  get(n: number): Promise<{ delivery: Delivery; body: string; attempts: Attempt[] } | null>;
  /** Makes one finished delivery due again, marked as a replay; false when it is owed anyway. */
  replay(n: number, now: Date): Promise<boolean>;
  /** Keeps the order to replay what matches and is there by now; false while one of the same filter is under way. */
  openReplay(job: Pick<ReplayJob, "id" | "filter" | "matched" | "startedAt">): Promise<boolean>;
  /**
   * Makes the next finished deliveries of a job due again, at most `limit`, and notes how far it is, in one transaction: a
   * process that takes it up passes none of them a second time. When none is left it is finished.
   */
  continueReplay(id: string, now: Date, limit: number): Promise<{ replayed: number; isDone: boolean }>;
  /** Orders not yet done, the oldest first. */
  openReplays(): Promise<string[]>;
  /** Orders under way and the newest that ended, newest first: all, or those about one of these endpoints. */
  replays(query: PageRequest & { endpoints: "*" | string[] }): Promise<Page<ReplayJob>>;
  replayJob(id: string): Promise<ReplayJob | null>;
  count(filter: DeliveryFilter): Promise<number>;
  dismiss(filter: DeliveryFilter | { n: number }, now: Date): Promise<number>;
  /** Removes the oldest entries of the log of attempts made before `before`, at most `limit`; returns how many. */
  forgetAttempts(before: Date, limit: number): Promise<number>;
  /** Of one endpoint, of some, or (null) of all. */
  stats(endpoints: string | string[] | null, now: Date): Promise<OutboxStats>;
}

export interface OutboxStats {
  pending: number;
  retrying: number;
  dead: number;
  oldestPendingSeconds: number | null;
  deliveredLastHour: number;
  p50Ms: number | null;
  p99Ms: number | null;
}
