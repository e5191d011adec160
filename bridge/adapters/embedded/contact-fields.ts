/** A contact of the hub → the fields of its document. */
import type { Contact } from "../../records.ts";
import type { ContactRow } from "./doctypes.ts";
import { numberOf } from "./people.ts";
import { cleanOrNull, shortName } from "./text.ts";

const bit = (value: boolean): number => (value ? 1 : 0);

/** `id`: under which the contact is kept, which may stand for the hidden id it is told by. */
export const contactFields = (contact: Contact, id: string): Partial<ContactRow> => ({
  phone_number: id === contact.id ? (contact.phone ?? numberOf(id)) : numberOf(id),
  contact_name: shortName(contact.name ?? contact.pushname ?? contact.notify),
  pushname: shortName(contact.pushname ?? contact.notify),
  short_name: shortName(contact.shortName),
  verified_name: shortName(contact.verifiedName),
  verified_level: contact.verifiedName === null ? "Unverified" : "Verified",
  about: cleanOrNull(contact.about),
  is_user: bit(contact.isUser),
  is_group: bit(contact.isGroup),
  is_my_contact: bit(contact.isMyContact),
  is_wa_contact: bit(contact.isWAContact),
  is_blocked: bit(contact.isBlocked),
  is_enterprise: bit(contact.isEnterprise),
  is_verified: bit(contact.verifiedName !== null),
  profile_pic_url: cleanOrNull(contact.profilePicUrl ?? contact.imgUrl),
  sync_status: "Synced",
});

/** A person of whom nothing is known but a chat or a message. */
export const bareContactFields = (id: string, name: string | null): Partial<ContactRow> => ({
  phone_number: numberOf(id),
  contact_name: shortName(name),
  verified_level: "Unverified",
  is_user: 1,
  is_wa_contact: 1,
});
