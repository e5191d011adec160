/**
 * The clock of the hub's retries, which a test moves: what waits for its next try becomes due, and breakers try again. The
 * wall clock stays, because it is under the signatures. Import it before the hub: it puts something in a module's place.
 */
import { vi } from "vitest";
import type { createTimeline as Timeline } from "../../hub/outbox/timeline.ts";

const moved = vi.hoisted(() => ({ aheadMs: 0, isInPlace: false }));

vi.mock("../../hub/outbox/timeline.ts", async (original) => {
  const { createTimeline } = await original<{ createTimeline: typeof Timeline }>();
  return {
    createTimeline: (parts: Parameters<typeof Timeline>[0]) => {
      const timeline = createTimeline(parts);
      moved.isInPlace = true;
      return { now: () => new Date(timeline.now().getTime() + moved.aheadMs) };
    },
  };
});

/** So much time goes by for the retries of every hub in this process; they look at their clock every second. */
export function retriesWait(ms: number): void {
  if (!moved.isInPlace) throw new Error("no hub runs on the clock of the test: import it before the hub");
  moved.aheadMs += ms;
}
