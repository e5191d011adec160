/** Goes on with a login that a cleanup took out of use. Whatever becomes of it, the session is not left without a link. */
import { HubError } from "../core/errors.ts";
import { isActive } from "../core/session-state.ts";
import type { Connection } from "./connection.ts";
import type { RunnerParts } from "./runner-parts.ts";
import type { SessionRecord } from "./session-record.ts";

/** Runs in the session's order. `quarantineId` was there when it was ordered. */
export async function undoCleanup(
  quarantineId: string,
  {
    record,
    connection,
    parts: { logins, connector },
  }: { record: SessionRecord; connection: Connection; parts: Pick<RunnerParts, "logins" | "connector"> },
): Promise<void> {
  const { sessionId, state } = record.session();
  // An order before this one has brought it back: a button that was pressed twice.
  if (!(await logins.putAway(sessionId)).some(({ id }) => id === quarantineId)) return;
  await connection.cut();
  try {
    await logins.bringBack(sessionId, quarantineId);
  } catch (cause) {
    if (cause instanceof HubError && isActive(state)) await connection.renew();
    throw cause;
  }
  connector.forget(sessionId);
  await connection.renew();
}
