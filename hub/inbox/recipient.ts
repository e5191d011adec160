/** Who a caller means: what was written → the one address this session uses for that chat. */
import { HubError } from "../core/errors.ts";
import { isPhoneJid, phoneJid, resolveJid, userOf, type Jid } from "../core/jid.ts";
import type { InboxStore } from "../core/store.ts";
import type { Numbering } from "./send-request.ts";

export const INTERNATIONAL: Numbering = { defaultCountry: null, nationalDigits: null };

export interface ResolveRecipient {
  sessionId: string;
  /** As written by the caller. */
  written: string;
  numbering?: Numbering;
  inbox: Pick<InboxStore, "knows" | "addresses">;
  /** Member of the request that a refusal names. */
  field?: string;
}

/** @throws HubError VALIDATION_ERROR when it is no address. */
export async function resolveRecipient({
  sessionId,
  written,
  numbering = INTERNATIONAL,
  inbox,
  field = "to",
}: ResolveRecipient): Promise<Jid> {
  const text = asInternational(written, numbering);
  const digits = text.replace(/@.*$/, "").replace(/\D/g, "");
  const known = new Set<Jid>();
  for (const jid of [`${digits}@g.us`, `${digits}@lid`, phoneJid(digits)]) {
    if (digits !== "" && (await inbox.knows(sessionId, jid))) known.add(jid);
  }
  const jid = resolveJid(text, {
    group: (candidate) => known.has(candidate),
    lid: (candidate) => known.has(candidate),
    phone: (candidate) => known.has(candidate),
  });
  if (jid === null || isOverlong(jid)) throw notAnAddress(field);
  if (!jid.endsWith("@lid")) return jid;
  // One conversation per person: a hidden id whose phone is known is that phone's chat.
  return (await inbox.addresses(sessionId, jid)).phone ?? jid;
}

/** E.164 allows 15 digits; anything longer was read as a group, so this only meets people. */
const isOverlong = (jid: Jid): boolean => jid.length > 140 || (isPhoneJid(jid) && userOf(jid).length > 15);

/** A number of exactly the key's national length gets the country; everything else is international already. */
function asInternational(written: string, { defaultCountry, nationalDigits }: Numbering): string {
  const text = written.trim();
  if (defaultCountry === null || nationalDigits === null || /[@+]/.test(text)) return text;
  const digits = text.replace(/[\s().-]/g, "");
  const isNational = /^\d+$/.test(digits) && digits.length === nationalDigits;
  return isNational ? `${defaultCountry.replace(/\D/g, "")}${digits}` : text;
}

const notAnAddress = (field: string): HubError =>
  new HubError("VALIDATION_ERROR", "This is neither a phone number nor a WhatsApp address.", {
    details: {
      fields: [{ path: field, problem: "use digits with the country code, or a WhatsApp address" }],
    },
  });
