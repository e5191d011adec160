/** Changes the bridge's memory in a loop and says each number once it is kept: to be killed. */
import { systemClock } from "../../bridge/clock.ts";
import { openLowdbState } from "../../bridge/state/lowdb-state.ts";

const quiet = (): void => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const state = await openLowdbState({ dir: process.argv[2] ?? "", clock: systemClock, log });
for (;;) {
  await state.update((data) => {
    data.mark += 1;
    // Large enough for a write to take a while.
    data.failedItems = Array.from({ length: 300 }, (_, n) => ({
      id: `${n}`,
      sessionId: "s1",
      kind: "message" as const,
      key: `${data.mark}`,
      error: "x".repeat(200),
      attempts: 1,
      at: "2026-01-31T10:00:00.000Z",
    }));
  });
  console.log(state.read().mark);
}
