/** Waits until all that was said has come through: acknowledged to WhatsApp, recorded, and at the CRM. */
import { until } from "../support/until.ts";
import { readFolder } from "./folder.ts";
import type { Stand } from "./stand.ts";

/** A backlog may be long and the machine busy: patience ends when nothing has moved for so long. */
const PATIENCE_MS = 60_000;

/** What is still on its way when nothing moves any more; an empty list when nothing is. */
export async function settle({ emulator, dataDir, accounts }: Stand): Promise<string[]> {
  const left = (): string[] => {
    const owed = accounts().reduce((sum, { number }) => sum + emulator.ledgerSummary(number).unacked, 0);
    const { open, pending } = readFolder(dataDir, (folder) => ({
      open: folder.openIntake(),
      pending: folder.pendingDeliveries(),
    }));
    return [
      ...(owed === 0 ? [] : [`${owed} messages not acknowledged`]),
      ...(open === 0 ? [] : [`${open} intake rows open`]),
      ...(pending === 0 ? [] : [`${pending} deliveries pending`]),
    ];
  };
  for (let before = left(); before.length > 0;) {
    const seen = before.join();
    const now = await until("some of it to move", () => [left()].find((one) => one.join() !== seen), {
      timeoutMs: PATIENCE_MS,
      everyMs: 50,
    }).catch(() => null);
    if (now === null) return left();
    before = now;
  }
  return [];
}
