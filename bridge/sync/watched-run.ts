/**
 * A run looks at its time between two pages: a CRM or a hub that never answers would keep its place for ever. So it is left after
 * a while. What it still writes, should an answer come after all, is written under its position as any page; of the job it
 * sees and changes nothing more, and ends.
 */
import type { Delay } from "./delay.ts";
import type { SyncRun } from "./sync-run.ts";
import type { SyncRunner } from "./sync-runner.ts";

/** Beyond the time of the job: a page that a slow CRM is still writing then is written in vain, and must be a rare one. */
const MARGIN_MS = 10 * 60_000;

export function createWatchedRunner(
  runner: SyncRunner,
  { timeoutMs, delay }: { timeoutMs: number; delay: Delay },
): SyncRunner {
  return async (run) => {
    let isLeft = false;
    const unlessLeft = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        if (isLeft) throw new Error("this run was left: its job goes on without it");
        return call(...args);
      };
    };
    const watched: SyncRun = {
      syncedUntil: run.syncedUntil,
      job: unlessLeft(run.job),
      save: unlessLeft(run.save),
      plan: unlessLeft(run.plan),
      lost: unlessLeft(run.lost),
      madeGood: unlessLeft(run.madeGood),
      isStopped: () => isLeft || run.isStopped(),
    };
    let cancel: () => void = () => undefined;
    const late = new Promise<"unanswered">((resolve) => {
      cancel = delay(timeoutMs + MARGIN_MS, () => {
        isLeft = true;
        resolve("unanswered");
      });
    });
    return Promise.race([runner(watched), late]).finally(cancel);
  };
}
