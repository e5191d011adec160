/** When backups were last made and tried out, as the API shows it. */
import type { z } from "zod";
import type { safekeepingSchema } from "../contract/session-standing.ts";
import { SAFEKEEPING_MARKS } from "../core/safekeeping-marks.ts";
import type { HttpContext } from "./context.ts";

type Shown = z.output<typeof safekeepingSchema>;

export async function shownSafekeeping(ctx: Pick<HttpContext, "store" | "clock">): Promise<Shown> {
  return { backup: await shownTurn("backup", ctx), drill: await shownTurn("drill", ctx) };
}

async function shownTurn(
  what: keyof typeof SAFEKEEPING_MARKS,
  { store: { marks }, clock }: Pick<HttpContext, "store" | "clock">,
): Promise<Shown["backup"]> {
  const { done, failed } = SAFEKEEPING_MARKS[what];
  const [doneAt, failedAt] = [await marks.get(done), await marks.get(failed)];
  return {
    doneAt: doneAt?.toISOString() ?? null,
    failedAt: failedAt?.toISOString() ?? null,
    ageSeconds: doneAt && Math.max(0, Math.floor((clock.now().getTime() - doneAt.getTime()) / 1000)),
    failing: failedAt !== null && failedAt > (doneAt ?? 0),
  };
}
