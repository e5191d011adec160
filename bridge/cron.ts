/** Work at times of a clock on the wall, written as cron does; the one place that knows the library. */
import cron from "node-cron";
import { BridgeError, failureFacts } from "./errors.ts";
import type { Log } from "./log.ts";

export interface Scheduled {
  /** From now to the next time. */
  untilNextMs(): number;
  stop(): void;
}

/** The library waits for the time it planned, also when the clock was set back by a month meanwhile: that is looked for so often. */
const LOOK_MS = 60_000;

export const isCron = (text: string): boolean => cron.validate(text);

/**
 * One run ends before the next one begins; a run that fails is logged and the next one comes all the same.
 * @throws BridgeError VALIDATION_ERROR when the expression is none, or names no time
 */
export function schedule(expression: string, work: () => Promise<unknown>, { log }: { log: Log }): Scheduled {
  if (!isCron(expression))
    throw new BridgeError("VALIDATION_ERROR", `"${expression}" is no cron expression, such as "0 * * * *".`);
  let isRunning = false;
  const run = async (): Promise<void> => {
    // A plan made anew knows nothing of a run that the one before it began.
    if (isRunning) return;
    isRunning = true;
    try {
      await work();
    } catch (cause) {
      log.error({ ...failureFacts(cause), expression }, "schedule.run_failed");
    } finally {
      isRunning = false;
    }
  };
  const told = (level: "debug" | "warn" | "error") => (message: string | Error) =>
    log[level]({ expression, message: String(message) }, "schedule.told");
  const plan = () =>
    cron.schedule(expression, run, {
      noOverlap: true,
      unref: true,
      logger: { debug: told("debug"), info: told("debug"), warn: told("warn"), error: told("error") },
    });
  let task = plan();
  let seen = Date.now();
  const looking = setInterval(() => {
    const now = Date.now();
    if (now < seen) {
      void task.destroy();
      task = plan();
      log.warn({ expression, backMs: seen - now }, "schedule.planned_anew");
    }
    seen = now;
  }, LOOK_MS).unref();
  return {
    untilNextMs: () => Math.max(0, (task.getNextRuns(1)[0]?.getTime() ?? 0) - Date.now()),
    stop: () => {
      clearInterval(looking);
      void task.destroy();
    },
  };
}
