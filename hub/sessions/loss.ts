/** What a lost connection does to a session, and its grace period: of a loss that is shorter, nobody is told. */
import type { Clock } from "../core/clock.ts";
import { isOpen } from "../core/session-state.ts";
import type { Cause } from "./reasons.ts";
import { createAlarm, type Schedule } from "./schedule.ts";
import { reasonAt, type SessionRecord } from "./session-record.ts";

const GRACE_MS = 15_000;
/** As long as a connection takes to open on a good day, with some room. */
const LAST_TRY_MS = 3_000;

export interface Loss {
  /** Lost, and to be tried again. An account that was connected keeps its state for the grace period. */
  lose(cause: Cause): Promise<void>;
  /** The same by our own doing: the state says at once that there is no connection. */
  setBack(cause: Cause): Promise<void>;
  /** When the present loss began; null when there is nothing to lose. */
  since(): Date | null;
  /** Goes on with a grace period, counted from the loss itself: one that began before a restart is told in time. */
  resumeGrace(): void;
  endGrace(): void;
  /** Whether the loss is still to be kept quiet. */
  isQuiet(): boolean;
  /** The wait until the next try; one that would end too late for the grace period ends in time for it. */
  inGrace(ms: number): number;
}

export function createLoss({
  record,
  schedule,
  clock,
  later,
}: {
  record: SessionRecord;
  schedule: Schedule;
  clock: Clock;
  /** Runs work in the session's order. */
  later: (work: () => Promise<void>) => void;
}): Loss {
  const alarm = createAlarm(schedule);

  const leftMs = (lostAt: Date) => lostAt.getTime() + GRACE_MS - clock.now().getTime();

  function since(): Date | null {
    const { state, lostAt } = record.session();
    return lostAt ?? (isOpen(state) ? clock.now() : null);
  }

  function isQuiet(): boolean {
    const { lostAt } = record.session();
    return lostAt !== null && leftMs(lostAt) > 0;
  }

  function resumeGrace(): void {
    const { lostAt } = record.session();
    if (!record.toldConnected() || lostAt === null || alarm.isSet()) return;
    alarm.set(Math.max(0, leftMs(lostAt)), () => later(tell));
  }

  async function tell(): Promise<void> {
    const { state, lostAt } = record.session();
    // While the store is away nothing can be told; it is when a write commits again.
    if (!record.toldConnected() || lostAt === null || state === "store_down") return;
    await record.move({ type: "closed", outcome: "retry" }, { connectedAt: null });
  }

  return {
    lose: async (cause) => {
      const reason = reasonAt(cause, clock.now());
      if (isOpen(record.session().state)) await record.save({ lostAt: since(), reason });
      else await record.move({ type: "closed", outcome: "retry" }, { reason }, { quiet: isQuiet() });
      resumeGrace();
    },
    setBack: async (cause) => {
      const details = { reason: reasonAt(cause, clock.now()), lostAt: since() };
      await record.move({ type: "closed", outcome: "retry" }, details, { quiet: true });
      resumeGrace();
    },
    since,
    resumeGrace,
    endGrace: () => alarm.cancel(),
    isQuiet,
    inGrace: (ms) => {
      const { lostAt } = record.session();
      if (!record.toldConnected() || lostAt === null) return ms;
      const lastMs = leftMs(lostAt) - LAST_TRY_MS;
      return lastMs > 0 ? Math.min(ms, lastMs) : ms;
    },
  };
}
