/**
 * What was done to the hub, by whom and how it ended, as a chain: the hash of each row covers the row before, so that none can
 * be changed, taken out or moved unseen. Rows never hold secrets or what people wrote.
 */
import { createHash } from "node:crypto";

/** Those who act without a key: a command on this machine, the hub by itself, a caller who proved nothing. */
type AuditActor = "operator" | "hub" | "nobody";

export interface NewAuditEntry {
  at: Date;
  /** Id of a key or a user, or one of the words above. */
  actor: string;
  /** Name of the key or the user, as it was then. */
  actorName: string | null;
  /** A route as `POST /api/keys`, or a word of its own as `hub.started`. */
  action: string;
  /** What it was done to: the name of a session, the id of a key, … */
  target: string | null;
  /** repeated: answered from memory under an Idempotency-Key; refused: by a rule; failed: by an accident. */
  outcome: "done" | "repeated" | "refused" | "failed";
  /** Names of fields, codes and counts; no personal data. */
  details: Record<string, unknown>;
}

export interface AuditEntry extends NewAuditEntry {
  /** Place in the chain, from 1, without a hole. */
  n: number;
  hash: string;
}

/** The entry about an act on the thing of this id, for the store to write in one transaction with the act. */
export type Audited = (id: string) => NewAuditEntry;

/** Something that was done without a key. */
export const doneBy = (
  actor: AuditActor,
  action: string,
  at: Date,
  { target = null, details = {} }: Partial<Pick<NewAuditEntry, "target" | "details">> = {},
): NewAuditEntry => ({ at, actor, actorName: null, action, target, outcome: "done", details });

/** One end of what is kept of the chain. */
export interface ChainEnd {
  n: number;
  hash: string;
}

export function auditHash(previous: string, n: number, entry: NewAuditEntry): string {
  const { at, actor, actorName, action, target, outcome, details } = entry;
  const row = JSON.stringify([n, at.toISOString(), actor, actorName, action, target, outcome, details]);
  return createHash("sha256").update(`${previous}\n${row}`, "utf8").digest("hex");
}

export type AuditVerdict =
  | { intact: true; rows: number; first: number; last: ChainEnd }
  | { intact: false; n: number; problem: string };

export interface ChainCheck {
  /** The next row in the order of `n`; what is wrong from here on, or null. */
  take(entry: AuditEntry): AuditVerdict | null;
  /** After the last row: compared with where the chain is known to end. */
  end(head: ChainEnd): AuditVerdict;
}

/** Walks a chain from its cut (what was there before the oldest row that is kept). */
export function checkChain(cut: ChainEnd): ChainCheck {
  let last = cut;
  const broken = (n: number, problem: string): AuditVerdict => ({ intact: false, n, problem });
  return {
    take: (entry) => {
      if (entry.n !== last.n + 1)
        return broken(last.n + 1, `row ${last.n + 1} is missing: row ${entry.n} follows row ${last.n}`);
      if (auditHash(last.hash, entry.n, entry) !== entry.hash)
        return broken(entry.n, `row ${entry.n} is not what was written, or not at its place`);
      last = { n: entry.n, hash: entry.hash };
      return null;
    },
    end: (head) => {
      if (last.n < head.n)
        return broken(last.n + 1, `rows ${last.n + 1} to ${head.n} are missing at the end`);
      if (last.n !== head.n || last.hash !== head.hash)
        return broken(last.n, `the chain ends in another row than the last one that was written`);
      return { intact: true, rows: last.n - cut.n, first: cut.n + 1, last };
    },
  };
}
