/** A first message to somebody goes only to a number that WhatsApp knows, under the address WhatsApp uses for it. */
import { HubError } from "../core/errors.ts";
import { isPhoneJid, userOf, type Jid } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { InboxStore } from "../core/store.ts";
import type { Contacts } from "./contacts.ts";

export interface FirstContactParts {
  inbox: Pick<InboxStore, "chat">;
  contacts: Pick<Contacts, "lookUp">;
  log: Log;
}

/** @throws HubError RECIPIENT_NOT_ON_WHATSAPP */
export async function reachable(
  sessionId: string,
  jid: Jid,
  { inbox, contacts, log }: FirstContactParts,
): Promise<Jid> {
  if (!isPhoneJid(jid) || (await inbox.chat(sessionId, jid)) !== null) return jid;
  let found: { exists: boolean; jid: Jid | null };
  try {
    found = await contacts.lookUp(sessionId, userOf(jid));
  } catch (error) {
    // Not knowing is no reason to refuse: WhatsApp's word on the message itself decides.
    if (!(error instanceof HubError)) throw error;
    log.info({ sessionId, code: error.code }, "send.recipient_not_looked_up");
    return jid;
  }
  if (!found.exists) throw new HubError("RECIPIENT_NOT_ON_WHATSAPP", "This number is not on WhatsApp.");
  return found.jid ?? jid;
}
