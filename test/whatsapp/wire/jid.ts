/** Addresses: `user[:device]@server`. Device 0 is the phone and is not written, as Baileys rc14 prints what it decodes. */

export const PN_SERVER = "s.whatsapp.net";
export const LID_SERVER = "lid";
export const GROUP_SERVER = "g.us";
/** How the server signs itself in stanzas to clients: Baileys' S_WHATSAPP_NET, a pair with an empty user. */
export const FROM_SERVER = `@${PN_SERVER}`;

export interface Jid {
  user: string;
  device: number;
  server: string;
}

export function parseJid(text: string): Jid {
  const at = text.indexOf("@");
  if (at < 0) throw new Error("not a jid");
  const [user = "", device = "0"] = text.slice(0, at).split(":");
  return { user: user.split("_")[0] ?? "", device: Number(device), server: text.slice(at + 1) };
}

export const pnJid = (pn: string, device = 0): string => `${pn}${device ? `:${device}` : ""}@${PN_SERVER}`;
export const lidJid = (lid: string, device = 0): string =>
  `${lid}${device ? `:${device}` : ""}@${LID_SERVER}`;
export const groupJid = (id: string): string => (id.includes("@") ? id : `${id}@${GROUP_SERVER}`);
export const isGroupJid = (text: string): boolean => text.endsWith(`@${GROUP_SERVER}`);
export const isLidJid = (text: string): boolean => text.endsWith(`@${LID_SERVER}`);

/** What people type: `+58 412…`, `58412…`, `58412…@c.us`, a jid. Digits only come back. */
export const digitsOf = (text: string): string =>
  (text.split("@")[0] ?? "").split(":")[0]?.replace(/\D/g, "") ?? "";
