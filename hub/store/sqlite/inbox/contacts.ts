/** People and groups as contacts: rows, changes, pages. */
import type { Contact } from "../../../core/chat.ts";
import type { ContactChange } from "../../../core/facts.ts";
import { isGroupJid, isLidJid, type Jid } from "../../../core/jid.ts";
import type { Page } from "../../../core/page.ts";
import type { Session } from "../../../core/session.ts";
import type { ContactQuery, ContactStats } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import { bit } from "../json.ts";
import { containing, createPager, when } from "../pager.ts";
import { readTally } from "../tally.ts";
import { LID_OF } from "./addresses.ts";
import { sortName } from "./sort-name.ts";

interface ContactRow {
  id: number;
  jid: Jid;
  name: string | null;
  push_name: string | null;
  verified_name: string | null;
  about: string | null;
  picture_token: string | null;
  is_my_contact: number;
  is_blocked: number;
  is_business: number;
  sort_name: string;
  looked_up_at: number;
  asked_at: number;
  updated_at: number;
  lid: Jid | null;
}

/** What a chat may be called after. */
export type ContactNames = Pick<Contact, "name" | "pushName" | "verifiedName">;

export interface Contacts {
  get(session: Session, jid: Jid): Contact | null;
  /** Creates or changes; the contact as it is now and what it was called before, or null when nothing changed. */
  change(
    session: Session,
    jid: Jid,
    change: ContactChange,
    now: Date,
  ): { contact: Contact; before: ContactNames } | null;
  /** No news of the contact itself. */
  lookedUp(session: number, jid: Jid, at: number | null): void;
  /** Puts what is known of `from` under `into`; true when there was something. `into` shows another hidden id either way. */
  merge(session: Session, from: Jid, into: Jid, now: Date): boolean;
  page(query: ContactQuery): Page<Contact>;
  stats(session: Session): ContactStats;
}

const NO_CONTACT: Required<ContactChange> = {
  name: null,
  pushName: null,
  verifiedName: null,
  about: null,
  pictureToken: null,
  isMyContact: false,
  isBlocked: false,
  isBusiness: false,
};

const COLUMNS = `k.*, ${LID_OF("k")} AS lid`;

export function createContacts(engine: Engine): Contacts {
  const { db } = engine;
  const find = db.prepare<[number, Jid], ContactRow>(
    `SELECT ${COLUMNS} FROM contact k WHERE k.session = ? AND k.jid = ?`,
  );
  const save = db.prepare(
    `INSERT INTO contact(session, jid, is_group, name, push_name, verified_name, about, picture_token, is_my_contact,
       is_blocked, is_business, sort_name, updated_at)
     VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT(session, jid) DO UPDATE SET name = excluded.name, push_name = excluded.push_name,
       verified_name = excluded.verified_name, about = excluded.about, picture_token = excluded.picture_token,
       is_my_contact = excluded.is_my_contact, is_blocked = excluded.is_blocked, is_business = excluded.is_business,
       sort_name = excluded.sort_name, updated_at = excluded.updated_at`,
  );
  const rename = db.prepare("UPDATE contact SET jid = ?, sort_name = ?, updated_at = ? WHERE id = ?");
  const remove = db.prepare("DELETE FROM contact WHERE id = ?");
  const touch = db.prepare("UPDATE contact SET updated_at = ? WHERE session = ? AND jid = ?");
  const lookedUp = db.prepare(
    "UPDATE contact SET looked_up_at = ?, asked_at = ? WHERE session = ? AND jid = ?",
  );
  const counts = db.prepare<[number], Omit<ContactStats, "users">>(
    `SELECT COUNT(*) AS total, COALESCE(SUM(is_group), 0) AS groups, COALESCE(SUM(is_business), 0) AS business,
       COUNT(COALESCE(name, verified_name, push_name)) AS withName, COUNT(picture_token) AS withPicture
     FROM contact WHERE session = ?`,
  );
  const pages = createPager(engine);

  const write = (session: number, jid: Jid, contact: Required<ContactChange>, now: Date): void => {
    save.run(
      session,
      jid,
      bit(isGroupJid(jid)),
      contact.name,
      contact.pushName,
      contact.verifiedName,
      contact.about,
      contact.pictureToken,
      bit(contact.isMyContact),
      bit(contact.isBlocked),
      bit(contact.isBusiness),
      sortName(contact),
      now.getTime(),
    );
  };

  const contacts: Contacts = {
    get: ({ id, sessionId }, jid) => {
      const row = find.get(id, jid);
      return row === undefined ? null : toContact(row, sessionId);
    },
    change: (session, jid, change, now) => {
      const row = find.get(session.id, jid);
      const before = row === undefined ? NO_CONTACT : partsOf(row);
      const after = { ...before, ...definedOnly(change) };
      if (row !== undefined && isSame(before, after)) return null;
      write(session.id, jid, after, now);
      const contact = contacts.get(session, jid);
      return contact === null ? null : { contact, before };
    },
    lookedUp: (session, jid, at) => {
      lookedUp.run(at ?? 0, at ?? 0, session, jid);
    },
    merge: (session, from, into, now) => {
      const source = find.get(session.id, from);
      if (source === undefined) {
        touch.run(now.getTime(), session.id, into);
        return false;
      }
      const target = find.get(session.id, into);
      if (target === undefined) {
        rename.run(into, source.sort_name, now.getTime(), source.id);
      } else {
        remove.run(source.id);
        write(session.id, into, joined(partsOf(target), partsOf(source)), now);
      }
      return true;
    },
    page: (query) => {
      const { sessionId, contactId, search, updatedAfter, isGroup } = query;
      const { id: session } = engine.session(sessionId);
      const filters = [
        ...containing(["k.name", "k.push_name", "k.verified_name", "k.jid"], search?.replace(/^\+/, "")),
        ...when("k.jid = ?", contactId),
        ...when("k.updated_at > ?", updatedAfter),
        ...when("k.is_group = ?", isGroup),
      ];
      return pages.read<ContactRow, Contact>({
        list: "contacts",
        bound: { sessionId, contactId, search, updatedAfter, isGroup },
        request: query,
        columns: COLUMNS,
        from: "contact k",
        scope: when("k.session = ?", session),
        filters,
        keys: ["k.sort_name", "k.id"],
        direction: "asc",
        keyOf: (row) => [row.sort_name, row.id],
        knownTotal: () => (filters.length === 0 ? readTally(engine, session).contacts : null),
        toItem: (row) => toContact(row, sessionId),
      });
    },
    stats: ({ id }) => {
      const row = counts.get(id) ?? { total: 0, groups: 0, business: 0, withName: 0, withPicture: 0 };
      return { ...row, users: row.total - row.groups };
    },
  };
  return contacts;
}

const partsOf = (row: ContactRow): Required<ContactChange> => ({
  name: row.name,
  pushName: row.push_name,
  verifiedName: row.verified_name,
  about: row.about,
  pictureToken: row.picture_token,
  isMyContact: row.is_my_contact === 1,
  isBlocked: row.is_blocked === 1,
  isBusiness: row.is_business === 1,
});

const toContact = (row: ContactRow, sessionId: string): Contact => ({
  sessionId,
  jid: row.jid,
  lid: isLidJid(row.jid) ? row.jid : row.lid,
  ...partsOf(row),
  lookedUpAt: row.looked_up_at === 0 ? null : row.looked_up_at,
  askedAt: row.asked_at === 0 ? null : row.asked_at,
  updatedAt: row.updated_at,
});

/** The phone's own data win; what it lacks comes from the hidden id's. */
function joined(target: Required<ContactChange>, source: Required<ContactChange>): Required<ContactChange> {
  return {
    name: target.name ?? source.name,
    pushName: target.pushName ?? source.pushName,
    verifiedName: target.verifiedName ?? source.verifiedName,
    about: target.about ?? source.about,
    pictureToken: target.pictureToken ?? source.pictureToken,
    isMyContact: target.isMyContact || source.isMyContact,
    isBlocked: target.isBlocked || source.isBlocked,
    isBusiness: target.isBusiness || source.isBusiness,
  };
}

/** Members that are not given stay as they are, also when they are spelled out as undefined. */
const definedOnly = <T extends object>(change: T): Partial<T> =>
  // Filtering entries keeps their types, which Object.fromEntries cannot say.
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;

const isSame = (a: Required<ContactChange>, b: Required<ContactChange>): boolean =>
  a.name === b.name &&
  a.pushName === b.pushName &&
  a.verifiedName === b.verifiedName &&
  a.about === b.about &&
  a.pictureToken === b.pictureToken &&
  a.isMyContact === b.isMyContact &&
  a.isBlocked === b.isBlocked &&
  a.isBusiness === b.isBusiness;
