/** Figures of a session as the API shows them. */
import type { z } from "zod";
import type { sessionFiguresSchema } from "../contract/session-standing.ts";
import { degradedSeconds, percentile, type SessionFigures } from "../core/session-figures.ts";
import { failedOf } from "../core/unreadable.ts";
import { ok, type Answer } from "./answer.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";

export function presentFigures(figures: SessionFigures, now: Date): z.output<typeof sessionFiguresSchema> {
  const { attempts, opened, reconnects, failedInARow, unreadable } = figures;
  return {
    attempts,
    opened,
    reconnects,
    failedInARow,
    degradedSeconds: degradedSeconds(figures, now),
    scanToConnectedMs: times(figures.scanToOpenMs),
    startToConnectedMs: times(figures.startToOpenMs),
    unreadable: {
      messages: failedOf(unreadable),
      byKind: unreadable.failed,
      cameAfterAll: unreadable.came,
      storms: unreadable.storms,
    },
    lastLosses: figures.losses.map(({ at, ...loss }) => ({ at: new Date(at).toISOString(), ...loss })),
  };
}

const times = (all: number[]) => ({
  count: all.length,
  p50: percentile(all, 0.5),
  p99: percentile(all, 0.99),
});

/** Of all sessions that the caller sees, in the order of their numbers. */
export async function figuresOfAll(caller: Caller, { sessions, clock }: HttpContext): Promise<Answer> {
  const seen = (await sessions.list()).filter(({ sessionId }) => caller.sees(sessionId));
  const now = clock.now();
  const figures = seen.map(async ({ id, sessionId }) => ({
    id,
    sessionId,
    ...presentFigures(await sessions.figures(sessionId), now),
  }));
  return ok({ figures: await Promise.all(figures) });
}
