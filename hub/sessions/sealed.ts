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
export const isResumable = ({ deletedAt }: Pick<Session, "deletedAt">, now: Date): boolean =>
  deletedAt !== null && now.getTime() - deletedAt.getTime() < SEALED_MS;

/** Whether it was deleted so long ago that its login may go. */
export const isOverdue = (session: Pick<Session, "deletedAt">, now: Date): boolean =>
  session.deletedAt !== null && !isResumable(session, now);

interface DiscardParts {
  connector: WhatsAppConnector;
  schedule: Schedule;
  log: Log;
}

/** Unlinks a device that nobody wants back, and takes its credentials out of use; false when there were none. */
export async function discardSealed(
  sessionId: string,
  { connector, schedule, log }: DiscardParts,
): Promise<boolean> {
  if (!(await connector.isPaired(sessionId))) return false;
  const isTold = await unlinkAnew(sessionId, { connector, schedule });
  await connector.retireCredentials(sessionId, "deleted more than seven days ago");
  log.info({ sessionId, isTold }, "session.sealed_discarded");
  return true;
}

interface SweepParts {
  store: Pick<SessionStore, "list">;
  connector: Pick<WhatsAppConnector, "isPaired">;
  /** Discards the login of a session that is still deleted and overdue when its turn comes; false when nothing went. */
  directory: { discardIfOverdue(sessionId: string): Promise<boolean> };
  clock: Clock;
  log: Log;
}

/** Destroyed for good: logins of deleted sessions, logins in quarantine, and sealed copies of logins. */
export type Swept = Record<"sealed" | "quarantined" | "copies", number>;

export const sweepLogins = async ({
  logins,
  ...parts
}: SweepParts & { logins: Pick<Logins, "sweep"> }): Promise<Swept> => ({
  sealed: await sweepSealed(parts),
  ...(await logins.sweep()),
});

/** One pass over all deleted sessions; one that fails is tried again at the next pass. Returns how many logins went. */
async function sweepSealed({ store, connector, directory, clock, log }: SweepParts): Promise<number> {
  const sessions = await store.list({ includeDeleted: true });
  let discarded = 0;
  for (const { sessionId, deletedAt } of sessions) {
    if (!isOverdue({ deletedAt }, clock.now())) continue;
    try {
      // Most have none left: only those that have one need their turn.
      if ((await connector.isPaired(sessionId)) && (await directory.discardIfOverdue(sessionId))) discarded++;
    } catch (err) {
      log.warn({ sessionId, err }, "session.sealed_not_discarded");
    }
  }
  return discarded;
}
