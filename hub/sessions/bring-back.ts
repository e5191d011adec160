/** What becomes of one session when the hub starts: what was connected, or on its way, when the process ended comes back. */
import { isOpen, isRestoredAtStart, type SessionChange } from "../core/session-state.ts";
import type { WhatsAppConnector } from "../core/whatsapp.ts";
import type { LoginCare } from "./login-care.ts";
import type { Loss } from "./loss.ts";
import { REASONS, type Cause } from "./reasons.ts";
import type { SessionRecord } from "./session-record.ts";

/** True when it is to connect by itself; its state says so then. */
export async function bringBack({
  record,
  connector,
  loginCare,
  loss,
  end,
}: {
  record: SessionRecord;
  connector: Pick<WhatsAppConnector, "isPaired">;
  loginCare: Pick<LoginCare, "setsAside">;
  loss: Pick<Loss, "setBack">;
  end: (change: SessionChange, cause: Cause) => Promise<void>;
}): Promise<boolean> {
  const { state, sessionId } = record.session();
  if (state === "qr" || state === "pairing_code") {
    // Scanned in the last moment: the credentials know, the row does not.
    if (await connector.isPaired(sessionId)) await record.move({ type: "scanned" });
    else await end({ type: "closed", outcome: "qr_expired" }, REASONS.codeLost);
  } else if (isRestoredAtStart(state) && (await loginCare.setsAside())) return false;
  else if (state === "store_down") await record.move({ type: "start" });
  else if (isOpen(state)) await loss.setBack(REASONS.hubStarted);
  return isRestoredAtStart(record.session().state);
}
