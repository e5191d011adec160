/** A session of the hub → the fields of its document. */
import type { Session } from "../../records.ts";
import type { SessionRow } from "./doctypes.ts";
import { momentOf } from "./moments.ts";
import { sessionWord } from "./statuses.ts";
import { cleanOrNull, shortName } from "./text.ts";

export const sessionFields = (session: Session): Partial<SessionRow> => ({
  session_name: shortName(session.sessionName),
  status: sessionWord(session.status),
  is_connected: session.isConnected ? 1 : 0,
  is_active: session.manuallyStopped ? 0 : 1,
  phone_number: session.phoneNumber,
  session_db_id: session.id,
  last_seen: momentOf(new Date(session.lastActivity)),
  error_message: cleanOrNull(session.reason?.text ?? null),
  error_code: shortName(session.reason?.code ?? null),
});
