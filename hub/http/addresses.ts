/** Chats and contacts as callers write them → the session's own address of them, by the calling key's numbering. */
import type { Jid } from "../core/jid.ts";
import type { Session } from "../core/session.ts";
import type { Numbering } from "../inbox/send-request.ts";
import { resolveRecipient } from "../inbox/recipient.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";

export const numberingOf = ({ key }: Caller): Numbering => ({
  defaultCountry: key.settings.defaultCountry,
  nationalDigits: key.settings.nationalDigits,
});

/** @throws HubError `VALIDATION_ERROR` naming `field` when it is no address */
export function chatOf(
  { session, caller }: { session: Session; caller: Caller },
  written: string,
  { store }: Pick<HttpContext, "store">,
  field = "chatId",
): Promise<Jid> {
  const { sessionId } = session;
  return resolveRecipient({ sessionId, written, numbering: numberingOf(caller), inbox: store.inbox, field });
}
