/** Addresses as WhatsApp writes them → the hub's. */
import { canonicalJid, isBroadcastJid, type Jid } from "../../core/jid.ts";

/** Our own two addresses. */
export interface Me {
  phone: Jid;
  lid: Jid | null;
}

export const STATUS_BROADCAST = "status@broadcast";

/** Without device; accounts hosted by WhatsApp have servers of their own for the same numbers. */
export function addressOf(raw: string): Jid {
  const jid = canonicalJid(raw);
  if (jid.endsWith("@hosted")) return `${jid.slice(0, -"@hosted".length)}@s.whatsapp.net`;
  if (jid.endsWith("@hosted.lid")) return `${jid.slice(0, -"@hosted.lid".length)}@lid`;
  return jid;
}

export const addressOrNull = (raw: string | null | undefined): Jid | null => (raw ? addressOf(raw) : null);

export const isMe = (jid: Jid, me: Me): boolean => jid === me.phone || jid === me.lid;

/** What identifies a message, as Baileys' keys have it. */
export interface RawKey {
  remoteJid?: string | null | undefined;
  fromMe?: boolean | null | undefined;
  id?: string | null | undefined;
  participant?: string | null | undefined;
}

/** The conversation a message belongs to; what a broadcast list sends to us arrives in the sender's chat. */
export function chatOf(key: RawKey): Jid | null {
  const chat = addressOrNull(key.remoteJid);
  if (chat === null || !isBroadcastJid(chat) || chat === STATUS_BROADCAST || key.fromMe) return chat;
  return addressOrNull(key.participant);
}
