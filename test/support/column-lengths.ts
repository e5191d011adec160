/** Makes SQLite as strict as other databases: what is too long for a column is refused, as the examples' schema declares it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type Database from "better-sqlite3";

const SCHEMA = join(import.meta.dirname, "../../bridge/examples/php/schema.sql");

function* declaredLengths(): Generator<{ table: string; column: string; length: number }> {
  let table = "";
  for (const line of readFileSync(SCHEMA, "utf8").split("\n")) {
    table = /^CREATE TABLE IF NOT EXISTS inbox_(\w+?)(?:(?<=alias)e)?s \(/.exec(line)?.[1] ?? table;
    const [, column, length] = /^ {2}(\w+) VARCHAR\((\d+)\)/.exec(line) ?? [];
    if (column !== undefined) yield { table, column, length: Number(length) };
  }
}

/** `tableOf`: their table of sessions by the name `session`, and so on. Lengths that the CRM itself checks are left to it. */
export function enforceLengths(db: Database.Database, tableOf: (table: string) => string): void {
  const isChecked = db.prepare("SELECT 1 FROM sqlite_master WHERE name = ? AND sql LIKE '%CHECK (length(%'");
  for (const { table, column, length } of declaredLengths()) {
    const theirs = tableOf(table);
    if (isChecked.get(theirs) !== undefined) continue;
    refuse(db, {
      name: `length_of_${theirs}_${column}`,
      table: theirs,
      when: `length(NEW.${column}) > ${length}`,
      says: `value too long for type character varying(${length})`,
    });
  }
}

/** Rows for which the condition is true are refused. */
export function refuse(
  db: Database.Database,
  { name, table, when, says }: { name: string; table: string; when: string; says: string },
): void {
  for (const moment of ["INSERT", "UPDATE"])
    db.exec(`CREATE TRIGGER ${name}_${moment} BEFORE ${moment} ON ${table} WHEN ${when}
      BEGIN SELECT RAISE(ABORT, '${says}'); END`);
}
