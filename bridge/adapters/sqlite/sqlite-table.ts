/** Rows of one document type in SQLite. Column names come from the document type alone, values are always bound. */
import type { Statement } from "better-sqlite3";
import { columnsOf, nameOf, type DocType, type Named, type Row, type Value } from "../embedded/doctypes.ts";
import type { Table } from "../embedded/rows.ts";
import type { Db } from "./connection.ts";

export interface SqliteTable<R extends Row & Named> extends Table<R> {
  /** A statement for whole rows that meet `where`, which is SQL of this code with one `?` for each key. */
  where(where: string): Statement<Value[], R>;
}

/** Updates write few sets of columns again and again; more than this means something else, and is not kept. */
const MAX_STATEMENTS = 200;

export function createSqliteTable<R extends Row & Named>(db: Db, type: DocType): SqliteTable<R> {
  const { table, series } = type;
  const columns = columnsOf(type);
  const known = new Set(columns);
  const ownName = Object.keys(type.fields)[0] ?? "";
  const insert = db.prepare(
    `INSERT INTO ${table}(${columns.join(", ")}) VALUES(${columns.map(() => "?").join(", ")})`,
  );
  const remove = db.prepare(`DELETE FROM ${table} WHERE name = ?`);
  const updates = new Map<string, Statement>();

  const updateOf = (fields: string[]): Statement => {
    const key = fields.join();
    const made = updates.get(key);
    if (made !== undefined) return made;
    for (const field of fields) if (!known.has(field)) throw new Error(`${table} has no column ${field}`);
    const statement = db.prepare(
      `UPDATE ${table} SET ${fields.map((field) => `${field} = ?`).join(", ")} WHERE name = ?`,
    );
    if (updates.size >= MAX_STATEMENTS) updates.clear();
    updates.set(key, statement);
    return statement;
  };

  return {
    insert: (values) => {
      const row: Row = values;
      const { lastInsertRowid } = insert.run(columns.map((column) => row[column]));
      return series === null ? String(row[ownName]) : nameOf(type, Number(lastInsertRowid));
    },
    update: (name, changes) => {
      updateOf(Object.keys(changes)).run([...Object.values(changes), name]);
    },
    remove: (name) => {
      remove.run(name);
    },
    where: (where) =>
      // The columns of the document type are the members of its row.
      db.prepare<Value[], R>(`SELECT name, ${columns.join(", ")} FROM ${table} WHERE ${where}`),
  };
}
