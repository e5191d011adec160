/**
 * WhatsApp addresses ("JIDs"). Inside the hub a person is `<digits>@s.whatsapp.net`, or `<digits>@lid` while the phone
 * number is unknown; a group is `…@g.us`. Device suffixes never get in. How a JID is shown to CRMs is `showJid`.
 */
export type Jid = string;
export type JidForm = "c.us" | "s.whatsapp.net";

const PERSON = "@s.whatsapp.net";

/** Canonical form: no device or agent suffix, and `c.us` written as `s.whatsapp.net`. */
export function canonicalJid(jid: string): Jid {
  const at = jid.lastIndexOf("@");
  if (at < 0) return jid;
  const user = jid.slice(0, at).split(":")[0]?.split("_")[0] ?? "";
  const server = jid.slice(at + 1);
  return `${user}@${server === "c.us" ? "s.whatsapp.net" : server}`;
}

export const userOf = (jid: Jid): string => jid.slice(0, jid.lastIndexOf("@"));
export const isGroupJid = (jid: Jid): boolean => jid.endsWith("@g.us");
export const isLidJid = (jid: Jid): boolean => jid.endsWith("@lid");
export const isPhoneJid = (jid: Jid): boolean => jid.endsWith(PERSON);
export const isBroadcastJid = (jid: Jid): boolean => jid.endsWith("@broadcast");

/** The JID of a phone number given as digits. */
export const phoneJid = (digits: string): Jid => `${digits}${PERSON}`;

/** `+digits` of a person whose phone is known, else null. */
export const phoneOf = (jid: Jid): string | null => (isPhoneJid(jid) ? `+${userOf(jid)}` : null);

/** A JID as a session's CRM wants to see it; one session uses one form everywhere. */
export const showJid = (jid: Jid, form: JidForm): string =>
  isPhoneJid(jid) ? `${userOf(jid)}@${form}` : jid;

const SUFFIXED = /^[0-9A-Za-z._-]+(:\d+)?@(g\.us|lid|broadcast|newsletter)$/;
/** How people write phone numbers: whatever they put between the digits. */
const PUNCTUATION = /[\s+().-]/g;
/** Ids of old groups: who made it, and when (Unix time). Longer than any phone number, however that is written. */
const OLD_GROUP = /^\d{6,15}-1\d{9}$/;

/**
 * What a caller wrote where a chat, contact or recipient is expected → canonical JID, or null when it is none.
 * `knows` answers from the session's own tables: X writes groups and LIDs as `<digits>@s.whatsapp.net`. What has a
 * hyphen is never taken for one of these: it is a phone number, or the id of an old group.
 */
export function resolveJid(
  written: string,
  knows: { group(jid: Jid): boolean; lid(jid: Jid): boolean; phone(jid: Jid): boolean },
): Jid | null {
  const text = written.trim();
  if (SUFFIXED.test(text)) return canonicalJid(text);
  const match = /^([^@]*?)(:\d+)?(@(c\.us|s\.whatsapp\.net))?$/.exec(text);
  const user = match?.[1] ?? "";
  if (OLD_GROUP.test(user)) return `${user}@g.us`;
  const digits = user.replace(PUNCTUATION, "");
  if (!/^\d{5,}$/.test(digits)) return null;
  if (user.includes("-")) return phoneJid(digits);
  if (digits.length >= 16 || knows.group(`${digits}@g.us`)) return `${digits}@g.us`;
  if (knows.lid(`${digits}@lid`) && !knows.phone(phoneJid(digits))) return `${digits}@lid`;
  return phoneJid(digits);
}
