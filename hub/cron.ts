/** Work at times of the clock on the wall, written as cron does; the one place of the hub that knows the library. */
import cron from "node-cron";
import type { Log } from "./core/log.ts";

/** One run ends before the next one begins; a run that fails is logged, and the next one comes all the same. */
export function atTimes(
  expression: string,
  work: () => Promise<unknown>,
  { log }: { log: Log },
): { stop(): void } {
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
  return { stop: () => void task.destroy() };
}
