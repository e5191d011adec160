/**
 * The audit log: rows appended to a chain, read by page, checked as a whole, cut at the old end. Orders that were begun lie
 * beside it until they end.
 */
import {
  auditHash,
  checkChain,
  type AuditEntry,
  type ChainEnd,
  type NewAuditEntry,
} from "../../core/audit.ts";
import type { AuditStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { fromJson, toJson } from "./json.ts";
import { createPager } from "./pager.ts";

interface AuditRow {
  n: number;
  at: number;
  actor: string;
  actor_name: string | null;
  action: string;
  target: string | null;
  outcome: AuditEntry["outcome"];
  details: string;
  hash: string;
}

const COLUMNS = "n, at, actor, actor_name, action, target, outcome, details, hash";
/** So many rows are checked at once. */
const BATCH = 1_000;

export interface AuditLog {
  port: AuditStore;
  /** Appends inside the transaction that is open. */
  append(entry: NewAuditEntry): void;
  /** Enters the orders that a kill broke off. For the opening of the store, before anything else is entered. */
  enterBrokenOff(): void;
}

interface BegunRow {
  head: number;
  entry: string;
}

export function createAuditLog(engine: Engine): AuditLog {
  const { db } = engine;
  const insert = db.prepare(`INSERT INTO audit(${COLUMNS}) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const readEnd = db.prepare<[string], ChainEnd>("SELECT n, hash FROM audit_chain WHERE place = ?");
  const moveEnd = db.prepare("UPDATE audit_chain SET n = ?, hash = ? WHERE place = ?");
  const rowsAfter = db.prepare<[number, number], AuditRow>(
    `SELECT ${COLUMNS} FROM audit WHERE n > ? ORDER BY n LIMIT ?`,
  );
  const firstYoung = db.prepare<[number, number, number], { n: number | null }>(
    "SELECT MIN(n) AS n FROM audit WHERE n > ? AND n <= ? AND at >= ?",
  );
  const rowAt = db.prepare<[number], ChainEnd>("SELECT n, hash FROM audit WHERE n = ?");
  const removeUpTo = db.prepare("DELETE FROM audit WHERE n <= ?");
  const pages = createPager(engine);
  const begin = db.prepare("INSERT INTO audit_begun(head, entry) VALUES(?, ?)");
  const finish = db.prepare("DELETE FROM audit_begun WHERE n = ?");
  const begun = db.prepare<[], BegunRow>("SELECT head, entry FROM audit_begun ORDER BY n");
  const forgetBegun = db.prepare("DELETE FROM audit_begun");
  const rowOfRequest = db.prepare<[number, string]>(
    "SELECT 1 FROM audit WHERE n > ? AND json_extract(details, '$.requestId') = ?",
  );

  const end = (place: "cut" | "head"): ChainEnd => {
    const found = readEnd.get(place);
    if (found === undefined) throw new Error(`the audit log has no ${place}`);
    return found;
  };

  const append = (entry: NewAuditEntry): void => {
    const head = end("head");
    const n = head.n + 1;
    // The text that is kept is what the hash covers: members that JSON leaves out are left out of both.
    const details = toJson(entry.details);
    const hash = auditHash(head.hash, n, { ...entry, details: fromJson<NewAuditEntry["details"]>(details) });
    const { at, actor, actorName, action, target, outcome } = entry;
    insert.run(n, at.getTime(), actor, actorName, action, target, outcome, details, hash);
    moveEnd.run(n, hash, "head");
  };

  const enterBrokenOff = (): void => {
    engine.transaction(() => {
      for (const { head, entry: text } of begun.all()) {
        const entry = fromJson<Omit<NewAuditEntry, "at"> & { at: string }>(text);
        // Its row was written with the act itself, and only the word that it ended is missing.
        if (rowOfRequest.get(head, String(entry.details["requestId"])) !== undefined) continue;
        append({ ...entry, at: new Date(entry.at) });
      }
      forgetBegun.run();
    });
  };

  const port: AuditStore = {
    append: call((entry) => {
      engine.transaction(() => {
        append(entry);
      });
    }),
    begin: call((entry) => Number(begin.run(end("head").n, toJson(entry)).lastInsertRowid)),
    end: call((number, entry) => {
      engine.transaction(() => {
        finish.run(number);
        if (entry !== null) append(entry);
      });
    }),
    list: call((request) => {
      const head = end("head");
      return pages.read<AuditRow, AuditEntry>({
        list: "audit",
        bound: {},
        request,
        columns: COLUMNS,
        from: "audit",
        scope: [],
        filters: [],
        keys: ["n"],
        direction: "desc",
        keyOf: ({ n }) => [n],
        knownTotal: () => head.n - end("cut").n,
        toItem: toEntry,
      });
    }),
    verify: call(() =>
      engine.transaction(() => {
        const check = checkChain(end("cut"));
        for (let from = -1; ;) {
          const rows = rowsAfter.all(from, BATCH);
          for (const row of rows) {
            const broken = check.take(toEntry(row));
            if (broken !== null) return broken;
            from = row.n;
          }
          if (rows.length < BATCH) return check.end(end("head"));
        }
      }),
    ),
    forget: call((before, limit) =>
      engine.transaction(() => {
        const from = end("cut").n;
        const young = firstYoung.get(from, from + limit, before.getTime())?.n ?? null;
        const to = rowAt.get(young === null ? Math.min(from + limit, end("head").n) : young - 1);
        if (to === undefined || to.n <= from) return 0;
        // The cut moves first: what lies behind it may go.
        moveEnd.run(to.n, to.hash, "cut");
        return removeUpTo.run(to.n).changes;
      }),
    ),
  };
  return { port, append, enterBrokenOff };
}

const toEntry = (row: AuditRow): AuditEntry => ({
  n: row.n,
  at: new Date(row.at),
  actor: row.actor,
  actorName: row.actor_name,
  action: row.action,
  target: row.target,
  outcome: row.outcome,
  details: fromJson<AuditEntry["details"]>(row.details),
  hash: row.hash,
});
