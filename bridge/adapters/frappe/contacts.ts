/** WhatsApp Contact: one document per address over all sessions; the first session that saw a contact keeps it. */
import type { Batch, Position, WriteResult } from "../../adapter.ts";
import type { Contact } from "../../records.ts";
import { differing, flag, isEmpty, nameOrNull, number, text, type Fields, type Row } from "./field-values.ts";
import { isHidden, lidMark } from "./aliases.ts";
import type { Authors } from "./author-links.ts";
import { readState, STATE_FIELD, withLid, writeState, type HubState } from "./hub-state.ts";
import type { Sessions } from "./sessions.ts";
import type { SiteRefusal } from "./site-answer.ts";
import { CONTACT, nowSeconds, phoneNumberOf, type Site } from "./site.ts";
import type { Update } from "./site-tables.ts";
import { rejected, type Insert } from "./write-many.ts";

const FIELDS = [
  "name",
  "contact_id",
  "session",
  "phone_number",
  "contact_name",
  "pushname",
  "short_name",
  "about",
  "verified_name",
  "verified_level",
  "is_user",
  "is_group",
  "is_my_contact",
  "is_wa_contact",
  "is_blocked",
  "is_enterprise",
  "is_verified",
  "profile_pic_url",
  "sync_count",
  STATE_FIELD,
];

/** What one account thinks of a contact says nothing about another account's. */
const OWNERS_VIEW = ["is_my_contact", "is_blocked"];

export interface Bare {
  id: string;
  pushname?: string | null;
  name?: string | null;
}

export interface Contacts {
  upsert(batch: Batch<Contact>): Promise<WriteResult[]>;
  /** Name of the document of each address; a bare one is made where there is none. */
  ensure(sessionName: string, people: Bare[]): Promise<Map<string, string>>;
  /** Only those that exist. */
  find(ids: string[]): Promise<Map<string, string>>;
}

export function createContacts(
  { tables, writes, time, clock, names, positions }: Site,
  { sessions, authors }: { sessions: Sessions; authors: Authors },
): Contacts {
  const rowsOf = async (ids: string[]): Promise<Map<string, Row>> => {
    if (ids.length === 0) return new Map();
    const rows = await tables.list(CONTACT, {
      fields: FIELDS,
      filters: [["contact_id", "in", ids]],
      orderBy: "creation asc",
      limit: ids.length,
    });
    for (const row of rows) names.contacts.set(text(row, "contact_id"), text(row, "name"));
    return new Map(rows.map((row) => [text(row, "contact_id"), row]));
  };

  const synced = async (count: number): Promise<Fields> => ({
    last_sync: (await time()).write(nowSeconds(clock)),
    sync_count: count,
    sync_status: "Synced",
  });

  const changesOf = async (row: Row, contact: Contact, told: Told): Promise<Fields> => {
    const wanted = fieldsOf(contact);
    const isOwner = text(row, "session") === told.sessionName;
    const changes = differing(
      row,
      isOwner
        ? wanted
        : Object.fromEntries(Object.entries(wanted).filter(([field]) => !OWNERS_VIEW.includes(field))),
    );
    const state = readState(row[STATE_FIELD]);
    const lid = lidOf(contact, told.sessionId);
    const knowsLid = lid === null || tables.lacks(CONTACT, STATE_FIELD) || state.lids?.includes(lid) === true;
    if (isEmpty(changes) && knowsLid) return {};
    const at = (await time()).write(nowSeconds(clock));
    return {
      ...changes,
      ...("profile_pic_url" in changes ? { last_profile_pic_update: at } : {}),
      ...(await synced(number(row, "sync_count") + 1)),
      ...stateOf(state, lid, told.position),
    };
  };

  const upsert = async ({ sessionId, position, items }: Batch<Contact>): Promise<WriteResult[]> => {
    const sessionName = await sessions.nameOf(sessionId);
    const rows = await rowsOf([...new Set(items.map(({ id }) => id))]);
    const results: WriteResult[] = [];
    const inserts: (Insert & { index: number })[] = [];
    const updates: (Update & { index: number })[] = [];
    const told = new Map([...rows].map(([id, row]) => [id, text(row, "name")]));

    const change = async (row: Row, contact: Contact): Promise<Update | null> => {
      const key = `contact|${contact.id}`;
      if (positions.isStale(key, position, readState(row[STATE_FIELD]).position)) return null;
      positions.shown(key, position);
      const changes = await changesOf(row, contact, { sessionId, sessionName, position });
      return isEmpty(changes) ? null : { name: text(row, "name"), changes };
    };
    const againstTheOther = async (contact: Contact, refusal: SiteRefusal): Promise<WriteResult> => {
      const row = (await rowsOf([contact.id])).get(contact.id);
      if (row === undefined) return rejected(refusal);
      const update = await change(row, contact);
      return update === null
        ? { outcome: "unchanged", id: text(row, "name") }
        : writes.updateOne(CONTACT, update);
    };

    for (const [index, contact] of items.entries()) {
      const row = rows.get(contact.id);
      if (row !== undefined) {
        const update = await change(row, contact);
        if (update === null) results[index] = { outcome: "unchanged", id: text(row, "name") };
        else updates.push({ ...update, index });
        continue;
      }
      inserts.push({
        index,
        key: contact.id,
        fields: {
          contact_id: contact.id,
          session: sessionName,
          ...fieldsOf(contact),
          ...(await synced(1)),
          ...stateOf({}, lidOf(contact, sessionId), position),
        },
        whenTaken: (refusal) => againstTheOther(contact, refusal),
        done: (name) => {
          names.contacts.set(contact.id, name);
          told.set(contact.id, name);
          positions.shown(`contact|${contact.id}`, position);
        },
      });
    }
    (await writes.insertAll(CONTACT, inserts)).forEach((result, n) => {
      results[inserts[n]?.index ?? -1] = result;
    });
    (await writes.updateAll(CONTACT, updates)).forEach((result, n) => {
      results[updates[n]?.index ?? -1] = result;
    });
    await authors.link(sessionName, told);
    return results;
  };

  const find = async (ids: string[]): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    for (const id of ids) {
      const name = names.contacts.get(id);
      if (name !== undefined) found.set(id, name);
    }
    const rows = await rowsOf(ids.filter((id) => !found.has(id)));
    for (const [id, row] of rows) found.set(id, text(row, "name"));
    return found;
  };

  return {
    upsert,
    find,
    ensure: async (sessionName, people) => {
      const unique = [...new Map(people.map((person) => [person.id, person])).values()];
      const found = await find(unique.map(({ id }) => id));
      const inserts: Insert[] = [];
      for (const { id, name, pushname } of unique.filter(({ id: wanted }) => !found.has(wanted)))
        inserts.push({
          key: id,
          fields: {
            contact_id: id,
            session: sessionName,
            phone_number: phoneNumberOf(id),
            contact_name: nameOrNull(name ?? pushname ?? null),
            pushname: nameOrNull(pushname ?? null),
            is_user: 1,
            ...(await synced(1)),
          },
          whenTaken: async (refusal) => {
            const row = (await rowsOf([id])).get(id);
            if (row === undefined) return rejected(refusal);
            found.set(id, text(row, "name"));
            return { outcome: "unchanged" };
          },
          done: (created) => {
            names.contacts.set(id, created);
            found.set(id, created);
          },
        });
      await writes.insertAll(CONTACT, inserts);
      await authors.link(sessionName, found);
      return found;
    },
  };
}

interface Told {
  sessionId: string;
  sessionName: string;
  position: Position;
}

/** The hidden id that a contact names, if it is another, as it is remembered. */
const lidOf = ({ id, lid }: Contact, sessionId: string): string | null =>
  lid === null || lid === id || !isHidden(lid) ? null : lidMark(sessionId, lid);

const stateOf = (state: HubState, lid: string | null, position: Position): Fields => {
  const shown = { ...state, ...(position === null ? {} : { position }) };
  const next = lid === null ? shown : withLid(shown, lid, position);
  return Object.keys(next).length === 0 ? {} : { [STATE_FIELD]: writeState(next) };
};

function fieldsOf(contact: Contact): Fields {
  const isVerified = contact.verifiedName !== null;
  return {
    phone_number: contact.phone ?? phoneNumberOf(contact.id),
    contact_name: nameOrNull(contact.name ?? contact.pushname ?? contact.notify),
    pushname: nameOrNull(contact.pushname ?? contact.notify),
    short_name: nameOrNull(contact.shortName),
    about: contact.about,
    verified_name: nameOrNull(contact.verifiedName),
    verified_level: isVerified ? "Verified" : "Unverified",
    is_user: flag(contact.isUser),
    is_group: flag(contact.isGroup),
    is_my_contact: flag(contact.isMyContact),
    is_wa_contact: flag(contact.isWAContact),
    is_blocked: flag(contact.isBlocked),
    is_enterprise: flag(contact.isEnterprise),
    is_verified: flag(isVerified),
    profile_pic_url: contact.profilePicUrl ?? contact.imgUrl,
  };
}
