/** The two addresses of people: everything is kept under the phone as soon as it is known. */
import { canonicalJid, isLidJid, isPhoneJid, userOf, type Jid } from "../../../core/jid.ts";
import type { Session } from "../../../core/session.ts";
import type { Engine } from "../engine.ts";

/** Of the row `name`, kept under its `jid`. */
export const LID_OF = (name: string): string =>
  `(SELECT l.lid FROM lid l WHERE l.session = ${name}.session AND l.phone = ${name}.jid LIMIT 1)`;

export interface Addresses {
  /** Canonical, and the phone instead of a hidden id whose phone is known. */
  map(session: number, jid: Jid): Jid;
  phoneOf(session: number, lid: Jid): Jid | null;
  lidOf(session: number, phone: Jid): Jid | null;
  /** True when this is news. What is stored under the hidden id is not moved here. */
  learn(session: Session, lid: Jid, phone: Jid): boolean;
}

export function createAddresses({ db }: Engine): Addresses {
  const phone = db.prepare<[number, string], { phone: string }>(
    "SELECT phone FROM lid WHERE session = ? AND lid = ?",
  );
  const lid = db.prepare<[number, string], { lid: string }>(
    "SELECT lid FROM lid WHERE session = ? AND phone = ? LIMIT 1",
  );
  const save = db.prepare(
    `INSERT INTO lid(session, lid, phone) VALUES(?, ?, ?) ON CONFLICT(session, lid) DO UPDATE SET phone = excluded.phone`,
  );

  const addresses: Addresses = {
    map: (session, raw) => {
      const jid = canonicalJid(raw);
      return isLidJid(jid) ? (addresses.phoneOf(session, jid) ?? jid) : jid;
    },
    phoneOf: (session, jid) => phone.get(session, jid)?.phone ?? null,
    lidOf: (session, jid) => lid.get(session, jid)?.lid ?? null,
    learn: (session, hidden, number) => {
      if (!isLidJid(hidden) || !isPhoneJid(number) || mixesUsWithThem(session, hidden, number)) return false;
      if (addresses.phoneOf(session.id, hidden) === number) return false;
      save.run(session.id, hidden, number);
      return true;
    },
  };
  return addresses;
}

/**
 * For a message typed on the phone WhatsApp may name our own number beside the contact's hidden id: learnt, it would turn
 * that contact into ourselves.
 */
function mixesUsWithThem({ phoneNumber, lid }: Session, hidden: Jid, phone: Jid): boolean {
  const isOurPhone = phoneNumber !== null && userOf(phone) === phoneNumber;
  const isOurLid = lid !== null && canonicalJid(lid) === hidden;
  return phoneNumber !== null && lid !== null && isOurPhone !== isOurLid;
}
