/** The lives of a hub that is killed again and again: how each ended, and how long the next one took to be ready. */
import { until } from "../support/until.ts";
import { RECOVERY_LIMIT_MS, type RowResult } from "./row.ts";
import type { Stand, StartOptions } from "./stand.ts";

export interface Lives {
  begin(options?: StartOptions): Promise<void>;
  /** Whether the life that was begun last ends by the fault; when it does not, it is ended here. */
  fell(): Promise<boolean>;
  figures(): Pick<RowResult, "recoveredMs" | "ordinaryMs">;
}

const FALL_MS = 30_000;

/** The stand's hub has not been started yet. */
export async function beginLives(stand: Stand): Promise<Lives> {
  const ordinaryMs = [(await stand.start())?.readyMs ?? 0];
  const readyAfterMs: number[] = [];
  return {
    begin: async (options) => {
      const { readyMs } = (await stand.start(options)) ?? { readyMs: 0 };
      readyAfterMs.push(readyMs);
      // Is it the hub that is slow, or the machine?
      if (readyMs > RECOVERY_LIMIT_MS) ordinaryMs.push(await stand.ordinaryStartMs());
    },
    fell: async () => {
      const fell = await until("the hub to fall", () => stand.isDown(), {
        timeoutMs: FALL_MS,
        everyMs: 5,
      }).catch(() => false);
      await stand.kill();
      return fell;
    },
    figures: () => ({
      recoveredMs: Math.round(Math.max(...readyAfterMs)),
      ordinaryMs: Math.round(Math.max(...ordinaryMs)),
    }),
  };
}
