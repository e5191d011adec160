/** What SQLite's errors mean for the bridge: try again later, call a person, or refuse one record. */
import Database from "better-sqlite3";
import { CrmMisconfigured, CrmUnavailable } from "../../errors.ts";

const { SqliteError } = Database;

/** The record itself breaks a rule of the tables; the file is fine. */
const OF_THE_RECORD = ["SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE"];

const FOR_A_PERSON: Record<string, string> = {
  SQLITE_READONLY: "may not be written",
  SQLITE_CANTOPEN: "cannot be opened",
  SQLITE_PERM: "may not be used",
  SQLITE_AUTH: "may not be used",
  SQLITE_NOTADB: "is not a database",
  SQLITE_CORRUPT: "is damaged",
};

const FOR_LATER: Record<string, string> = {
  SQLITE_FULL: "The disk of the CRM's file is full.",
  SQLITE_BUSY: "The CRM's file is in use by another program.",
  SQLITE_LOCKED: "The CRM's file is in use by another program.",
  SQLITE_IOERR: "The disk of the CRM's file fails.",
  SQLITE_NOMEM: "There is no memory left for the CRM's file.",
};

/** Extended codes say more than we decide on: `SQLITE_IOERR_WRITE` is an `SQLITE_IOERR`. */
const primaryCode = (code: string): string => code.split("_").slice(0, 2).join("_");

/** Anything thrown that is not the file's trouble, a bug included, must cost one record and not all beside it. */
export const isOfTheRecord = (cause: unknown): boolean =>
  !(cause instanceof SqliteError) || OF_THE_RECORD.includes(primaryCode(cause.code));

export function inCrmWords(cause: unknown): Error {
  if (!(cause instanceof SqliteError)) return cause instanceof Error ? cause : new Error(String(cause));
  const code = primaryCode(cause.code);
  const problem = FOR_A_PERSON[code];
  if (problem !== undefined)
    return new CrmMisconfigured(`The CRM's file ${problem} (${cause.code}).`, { code: cause.code, cause });
  const passing = FOR_LATER[code] ?? "The CRM's file fails.";
  return new CrmUnavailable(`${passing} (${cause.code})`, { code: cause.code, cause });
}
