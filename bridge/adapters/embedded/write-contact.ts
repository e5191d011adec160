/** Contacts: as the hub tells them, and bare ones for people of whom only a chat or a message is known. */
import type { Position, WriteResult } from "../../adapter.ts";
import type { Contact } from "../../records.ts";
import { bareContactFields, contactFields } from "./contact-fields.ts";
import { blank, CONTACT, type ContactRow, type Row } from "./doctypes.ts";
import { mergePerson } from "./merge-person.ts";
import { isHiddenId, isPerson, numberOf } from "./people.ts";
import { mayOverwrite } from "./positions.ts";
import { keyText } from "./text.ts";
import { resolver, reviseRow, unchanged, type Writing } from "./writing.ts";

export function writeContact(
  writing: Writing,
  session: string,
  contact: Contact,
  position: Position,
): WriteResult {
  const { rows, now } = writing;
  const id = resolver(rows, session)(keyText(contact.id, "contact id"));
  const fields = contactFields(contact, id);
  const told = hiddenIdOf(contact, id);
  // The event that told whose hidden id this is may have been missed.
  const isMerged =
    told !== null && told !== contact.id && mergePerson(writing, { session, from: told, into: id, position });
  // Told too late it is not theirs.
  const lid = told !== null && rows.aliases.of(session, told)?.into === id ? told : null;
  const held = rows.contacts.of(session, id);
  const at = now();
  if (held === undefined) {
    const name = rows.contacts.insert({
      ...blank(CONTACT, at),
      ...fields,
      contact_id: id,
      session,
      lid,
      last_profile_pic_update: fields.profile_pic_url === null ? null : at,
      last_sync: at,
      sync_count: 1,
      position,
    });
    linkPerson(writing, session, { id, contact: name });
    return { outcome: "created", id: name };
  }
  const result = mayOverwrite(held.position, position)
    ? reviseContact(writing, held, { ...fields, lid: lid ?? held.lid }, position)
    : unchanged(held.name);
  return isMerged ? { ...result, outcome: "updated" } : result;
}

function reviseContact(
  { rows, now }: Writing,
  held: ContactRow,
  wanted: Row,
  position: Position,
): WriteResult {
  const at = now();
  return reviseRow(rows.contacts, held, wanted, {
    position,
    now: at,
    alongside: {
      last_sync: at,
      sync_count: (held.sync_count ?? 0) + 1,
      ...(wanted["profile_pic_url"] === held.profile_pic_url ? {} : { last_profile_pic_update: at }),
    },
  });
}

/** The hidden id of a contact that is kept under another one. */
function hiddenIdOf(contact: Contact, id: string): string | null {
  if (contact.id !== id) return contact.id;
  if (contact.lid === null || contact.lid === id || !isHiddenId(contact.lid)) return null;
  return keyText(contact.lid, "hidden id");
}

/** The contact of a person, made from as little as their id where there is none. Anything told later replaces it. */
export function ensureContact(
  writing: Writing,
  session: string,
  id: string,
  knownAs: string | null,
): ContactRow {
  const { rows, now } = writing;
  const held = rows.contacts.of(session, id);
  if (held !== undefined) return held;
  const row = { ...blank(CONTACT, now()), ...bareContactFields(id, knownAs), contact_id: id, session };
  const name = rows.contacts.insert(row);
  linkPerson(writing, session, { id, contact: name });
  return { ...row, name };
}

/** Records of a person that came before their contact, or whose contact was deleted by hand, point to the new one. */
function linkPerson(
  { rows, now }: Writing,
  session: string,
  { id, contact }: { id: string; contact: string },
): void {
  rows.messages.linkAuthor(session, id, contact);
  // Groups are told as contacts, too, but their messages are of their members.
  if (!isPerson(id)) return;
  const chat = rows.conversations.of(session, id);
  if (chat === undefined || chat.contact === contact) return;
  rows.conversations.update(chat.name, { contact, modified: now() });
  rows.messages.readdress(chat.name, { contact, from: numberOf(id), into: numberOf(id) });
}
