/** One event owed to one endpoint, and what came back when it was sent. */
import type { EventName } from "../contract/events.ts";

/**
 * pending    never tried (crash: stays)
 * retrying   failed, to be tried again at `nextAttemptAt` (crash: stays)
 * delivered  acknowledged; a replay makes it pending again
 * skipped    the receiver said it will never need it
 * dead       parked: a person replays or dismisses it
 * dismissed  a person gave it up
 * A delivery on its way is shown as `sending`; that is only remembered, so a crash sends it again.
 */
export type DeliveryState = "pending" | "retrying" | "delivered" | "skipped" | "dead" | "dismissed";

/** Whose failure it was: this event's, the endpoint's, a status that came too early, or our own network's. */
export type FailureClass = "event" | "endpoint" | "soft" | "hub";

/** What one HTTP try came to. */
export type AttemptResult =
  | { outcome: "acknowledged"; status: number; note: string | null }
  /** `status` is null when nothing had to be sent to know it. */
  | { outcome: "skipped"; status: number | null; note: string }
  | {
      outcome: "failed";
      failure: FailureClass;
      /** Null when no answer came. */
      status: number | null;
      error: string;
      retryAfterSeconds: number | null;
      /** 410: the endpoint wants no more. */
      pause: boolean;
      /** No answer in time, or 429: waits at least a minute. */
      slow: boolean;
    };

/** One try, as the delivery log keeps it. */
export interface Attempt {
  n: number;
  at: Date;
  ms: number;
  status: number | null;
  error: string | null;
  /** At most 2 KB of the answer. */
  responseHead: string | null;
}

export interface Delivery {
  /** Row number; public id is `rowId("dlv", n)`. */
  n: number;
  seq: number;
  eventId: string;
  event: EventName;
  sessionId: string;
  chatId: string | null;
  endpointId: string;
  lane: string;
  state: DeliveryState;
  /** On its way now; shown in the place of the state. */
  isSending: boolean;
  attempts: number;
  nextAttemptAt: Date | null;
  lastStatus: number | null;
  lastError: string | null;
  failure: FailureClass | null;
  replay: boolean;
  createdAt: Date;
  doneAt: Date | null;
}

/** What becomes true of a delivery after an attempt; made by `settleAttempt` only. */
export interface DeliveryPatch {
  state: DeliveryState;
  attempts: number;
  nextAttemptAt: Date | null;
  lastStatus: number | null;
  lastError: string | null;
  failure: FailureClass | null;
  doneAt: Date | null;
}
