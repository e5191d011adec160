/** The CRM in an SQLite file keeps the promises of a CRM adapter. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll } from "vitest";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { describeCrmAdapter } from "./crm-adapter.ts";

const root = mkdtempSync(join(tmpdir(), "bridge-crm-"));
afterAll(() => {
  rmSync(root, { recursive: true });
});
let files = 0;

describeCrmAdapter("sqlite", async () => {
  const file = join(root, `${++files}.db`);
  const adapter = await openSqliteAdapter({ file, clock: fixedClock() });
  return {
    adapter,
    // With another program, as people do.
    personEdits: (doctype, name, fields) => {
      const db = new Database(file);
      const table = doctype.toLowerCase().replaceAll(" ", "_");
      const columns = Object.keys(fields).map((field) => `${field} = ?`);
      db.prepare(`UPDATE ${table} SET ${columns.join(", ")} WHERE name = ?`).run(
        ...Object.values(fields),
        name,
      );
      db.close();
      return Promise.resolve();
    },
  };
});
