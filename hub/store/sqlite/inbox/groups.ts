/** What is known of groups beyond their name and description, which their contact has: owner and settings. */
import type { GroupChange } from "../../../core/facts.ts";
import type { Jid } from "../../../core/jid.ts";
import type { Engine } from "../engine.ts";
import { fromJson } from "../json.ts";

const NAMES = ["owner", "createdAt", "announce", "restrict", "ephemeralSeconds"] as const;
type GroupDetails = Pick<GroupChange, (typeof NAMES)[number]>;

export interface Groups {
  of(session: number, jid: Jid): GroupDetails;
  /** Keeps what is given; false when nothing changed by it. */
  change(session: number, jid: Jid, change: GroupDetails): boolean;
}

export function createGroups({ db }: Engine): Groups {
  const find = db.prepare<[number, Jid], { details: string }>(
    "SELECT details FROM group_details WHERE session = ? AND jid = ?",
  );
  const save = db.prepare(
    `INSERT INTO group_details(session, jid, details) VALUES(?, ?, ?)
     ON CONFLICT(session, jid) DO UPDATE SET details = excluded.details`,
  );

  const groups: Groups = {
    of: (session, jid) => {
      const row = find.get(session, jid);
      return row === undefined ? {} : fromJson<GroupDetails>(row.details);
    },
    change: (session, jid, change) => {
      const before = groups.of(session, jid);
      const after: GroupDetails = { ...before, ...change };
      if (NAMES.every((name) => before[name] === after[name])) return false;
      // A description that comes along is the contact's to keep.
      save.run(session, jid, JSON.stringify(after, [...NAMES]));
      return true;
    },
  };
  return groups;
}
