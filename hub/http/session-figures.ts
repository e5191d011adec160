/** Figures of a session as the API shows them. */
import type { z } from "zod";
import type { sessionFiguresSchema } from "../contract/session-standing.ts";
import { percentile, type SessionFigures } from "../core/session-figures.ts";

export function presentFigures(figures: SessionFigures, now: Date): z.output<typeof sessionFiguresSchema> {
  const { attempts, opened, reconnects, failedInARow, degradedMs, degradedSince } = figures;
  const running = degradedSince === null ? 0 : Math.max(0, now.getTime() - degradedSince);
  return {
    attempts,
    opened,
    reconnects,
    failedInARow,
    degradedSeconds: Math.floor((degradedMs + running) / 1000),
    scanToConnectedMs: times(figures.scanToOpenMs),
    startToConnectedMs: times(figures.startToOpenMs),
    lastLosses: figures.losses.map(({ at, ...loss }) => ({ at: new Date(at).toISOString(), ...loss })),
  };
}

const times = (all: number[]) => ({
  count: all.length,
  p50: percentile(all, 0.5),
  p99: percentile(all, 0.99),
});
