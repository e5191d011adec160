/** Starting the whole process again, the last cure but one: at most once in six hours, and remembered over the restart itself. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { MarkStore } from "../core/store.ts";
import type { WatchdogParts } from "./runner-parts.ts";

const MARK = "watchdog.restart";
const EVERY_MS = 6 * 3_600_000;

export function createRestart({
  marks,
  clock,
  log,
  end,
}: {
  marks: Pick<MarkStore, "get" | "set">;
  clock: Clock;
  log: Log;
  /** Ends the process in good order, where somebody starts it again. */
  end: (() => void) | undefined;
}): WatchdogParts["restart"] {
  if (end === undefined) return null;
  let last: Date | null | undefined;
  return {
    isAllowed: async () => {
      last ??= await marks.get(MARK);
      return last === null || clock.now().getTime() - last.getTime() >= EVERY_MS;
    },
    go: (sessionId) => {
      const now = clock.now();
      last = now;
      log.error({ sessionId }, "watchdog.restart");
      // What is not remembered would be done again and again.
      marks.set(MARK, now).then(end, (err: unknown) => log.error({ err }, "watchdog.restart_not_noted"));
    },
  };
}
