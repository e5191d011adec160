/** Sessions that the hub has no more: the last ones are remembered, for one may come back; of older ones nothing is kept. Pure. */
import type { BridgeData, Connection } from "../state/bridge-state.ts";

const MOST_GONE = 200;

/** `row` takes its place behind all others: those that are gone stand in the order in which they went. */
export function keepGone(data: BridgeData, row: Connection): void {
  const others = Object.values(data.connections).filter(({ sessionId }) => sessionId !== row.sessionId);
  const gone = others.filter(({ sessionExists }) => !sessionExists).map(({ sessionId }) => sessionId);
  const forgotten = new Set(gone.slice(0, Math.max(0, gone.length + 1 - MOST_GONE)));
  data.connections = Object.fromEntries(
    [...others, row].filter(({ sessionId }) => !forgotten.has(sessionId)).map((one) => [one.sessionId, one]),
  );
  if (forgotten.size === 0) return;
  // A job that was under way when its session went came to its end later. Whoever waits for one that is not over goes on waiting.
  data.jobs = data.jobs.filter(
    ({ sessionId, finishedAt }) => finishedAt === null || !forgotten.has(sessionId),
  );
}
