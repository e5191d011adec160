/** Every few hours, logins that nobody can want back are destroyed: not while the clock is in doubt, by which their time is told. */
import type { IsClockTrusted } from "../core/clock-trust.ts";
import { createAlarm, type Schedule } from "./schedule.ts";
import { sweepLogins, type Swept } from "./sealed.ts";

const SWEEP_MS = 6 * 3_600_000;

export interface LoginSweep {
  /** Now, and from now on by itself. */
  start(): void;
  stop(): void;
  /** Resolves when none is under way. */
  idle(): Promise<void>;
}

export function createLoginSweep({
  isClockTrusted,
  onSwept,
  schedule,
  ...parts
}: Parameters<typeof sweepLogins>[0] & {
  isClockTrusted: IsClockTrusted;
  onSwept: (gone: Swept) => Promise<void>;
  schedule: Schedule;
}): LoginSweep {
  const alarm = createAlarm(schedule);
  let sweeping: Promise<void> = Promise.resolve();

  const sweep = async (): Promise<void> => {
    if (isClockTrusted()) await onSwept(await sweepLogins(parts));
  };
  const start = (): void => {
    sweeping = sweep().catch((err: unknown) => parts.log.warn({ err }, "session.sweep_failed"));
    alarm.set(SWEEP_MS, start);
  };

  return { start, stop: () => alarm.cancel(), idle: () => sweeping };
}
