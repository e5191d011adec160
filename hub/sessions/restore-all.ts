/** The start of a hub: every session is as it was before, and those that were connected connect again. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Log } from "../core/log.ts";
import type { Directory } from "./directory.ts";
import type { Slots } from "./slots.ts";

export async function restoreAll({
  directory,
  slots,
  log,
}: {
  directory: Pick<Directory, "load" | "all">;
  slots: Pick<Slots, "closedDuring">;
  log: Log;
}): Promise<void> {
  await directory.load();
  // Connecting is much work: the hub would be ready only after most of it.
  await slots.closedDuring(async () => {
    for (const runner of directory.all()) {
      try {
        await runner.restore();
      } catch (err) {
        // One session that cannot be restored must not keep the others from it.
        log.error({ sessionId: runner.session.sessionId, err }, "session.not_restored");
      }
      // Each is written down; whoever asks meanwhile need not wait for all of them.
      await nextTurn();
    }
  });
}
