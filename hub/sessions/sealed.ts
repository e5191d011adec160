/** Credentials of deleted sessions: kept sealed for a week, in which the name comes back without a scan, then destroyed. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Session } from "../core/session.ts";
import type { SessionStore } from "../core/store.ts";
import type { WhatsAppConnector } from "../core/whatsapp.ts";
import type { Logins } from "./logins.ts";
import type { Schedule } from "./schedule.ts";
import { unlinkAnew } from "./unlink.ts";

const SEALED_MS = 7 * 24 * 3_600_000;

/** Whether a deleted session can still be resumed. */
export const isResumable = ({ deletedAt }: Session, now: Date): boolean =>
  deletedAt !== null && now.getTime() - deletedAt.getTime() < SEALED_MS;

interface Parts {
  store: Pick<SessionStore, "list">;
  connector: WhatsAppConnector;
  clock: Clock;
  schedule: Schedule;
  log: Log;
}

/** Unlinks a device that nobody wants back, and takes its credentials out of use; false when there were none. */
export async function discardSealed(
  sessionId: string,
  { connector, schedule, log }: Omit<Parts, "store" | "clock">,
): Promise<boolean> {
  if (!(await connector.isPaired(sessionId))) return false;
  const isTold = await unlinkAnew(sessionId, { connector, schedule });
  await connector.retireCredentials(sessionId, "deleted more than seven days ago");
  log.info({ sessionId, isTold }, "session.sealed_discarded");
  return true;
}

/** Destroyed for good: logins of deleted sessions, logins in quarantine, and sealed copies of logins. */
export type Swept = Record<"sealed" | "quarantined" | "copies", number>;

export const sweepLogins = async (parts: Parts & { logins: Pick<Logins, "sweep"> }): Promise<Swept> => ({
  sealed: await sweepSealed(parts),
  ...(await parts.logins.sweep()),
});

/** One pass over all deleted sessions; one that fails is tried again at the next pass. Returns how many logins went. */
async function sweepSealed(parts: Parts): Promise<number> {
  const sessions = await parts.store.list({ includeDeleted: true });
  let discarded = 0;
  for (const session of sessions) {
    if (session.deletedAt === null || isResumable(session, parts.clock.now())) continue;
    try {
      if (await discardSealed(session.sessionId, parts)) discarded++;
    } catch (err) {
      parts.log.warn({ sessionId: session.sessionId, err }, "session.sealed_not_discarded");
    }
  }
  return discarded;
}
