/** Work at times of a clock on the wall, written as cron does; the one place that knows the library. */
import cron from "node-cron";
import { BridgeError } from "./errors.ts";
import type { Log } from "./log.ts";

export interface Scheduled {
  /** From now to the next time. */
  untilNextMs(): number;
  stop(): void;
}

export const isCron = (text: string): boolean => cron.validate(text);

/**
 * One run ends before the next one begins; a run that fails is logged and the next one comes all the same.
 * @throws BridgeError VALIDATION_ERROR when the expression is none, or names no time
 */
export function schedule(expression: string, work: () => Promise<unknown>, { log }: { log: Log }): Scheduled {
  if (!isCron(expression))
    throw new BridgeError("VALIDATION_ERROR", `"${expression}" is no cron expression, such as "0 * * * *".`);
  const run = async (): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      log.error({ err: cause, expression }, "schedule.run_failed");
    }
  };
  const told = (level: "debug" | "warn" | "error") => (message: string | Error) =>
    log[level]({ expression, message: String(message) }, "schedule.told");
  const task = cron.schedule(expression, run, {
    noOverlap: true,
    unref: true,
    logger: { debug: told("debug"), info: told("debug"), warn: told("warn"), error: told("error") },
  });
  return {
    untilNextMs: () => Math.max(0, (task.getNextRuns(1)[0]?.getTime() ?? 0) - Date.now()),
    stop: () => void task.destroy(),
  };
}
