/** Somebody with the database in hand: whatever is done to the audit log, `verify` names the row. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import type { AuditVerdict } from "../../hub/core/audit.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { fixedClock } from "../support/fixed-clock.ts";

const clock = fixedClock();

/** Ten entries, then `sql` by a foreign hand, then the verdict. */
async function verdictAfter(sql: string): Promise<AuditVerdict> {
  const dir = mkdtempSync(join(tmpdir(), "hub-audit-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "hub.db");
  const store = await openSqliteStore({ file, publicUrl: "", clock });
  for (let n = 1; n <= 10; n++)
    await store.audit.append({
      at: clock.now(),
      actor: "operator",
      actorName: null,
      action: "test",
      target: String(n),
      outcome: "done",
      details: {},
    });
  await store.close();
  const db = new Database(file);
  db.exec(sql);
  db.close();
  const again = await openSqliteStore({ file, publicUrl: "", clock });
  onTestFinished(() => again.close());
  return again.audit.verify();
}

const FREE = "DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_loses_only_what_is_cut;";

test.each([
  ["nothing", "SELECT 1", { intact: true, rows: 10 }],
  ["a row is removed", `${FREE} DELETE FROM audit WHERE n = 4`, { intact: false, n: 4 }],
  ["the first row is removed", `${FREE} DELETE FROM audit WHERE n = 1`, { intact: false, n: 1 }],
  ["the last rows are removed", `${FREE} DELETE FROM audit WHERE n > 8`, { intact: false, n: 9 }],
  ["all rows are removed", `${FREE} DELETE FROM audit`, { intact: false, n: 1 }],
  ["a name is changed", `${FREE} UPDATE audit SET target = 'x' WHERE n = 7`, { intact: false, n: 7 }],
  ["a moment is changed", `${FREE} UPDATE audit SET at = at + 1 WHERE n = 10`, { intact: false, n: 10 }],
  [
    "two rows change places",
    `${FREE} UPDATE audit SET n = 99 WHERE n = 3; UPDATE audit SET n = 3 WHERE n = 4; UPDATE audit SET n = 4 WHERE n = 99`,
    { intact: false, n: 3 },
  ],
  [
    "the beginning is cut off and the cut moved, with a hash that was never there",
    `UPDATE audit_chain SET n = 2 WHERE place = 'cut'; DELETE FROM audit WHERE n <= 2`,
    { intact: false, n: 3 },
  ],
])("%s: told", async (_what, sql, expected) => {
  expect(await verdictAfter(sql)).toMatchObject(expected);
});

test.each(["UPDATE audit SET target = 'x'", "DELETE FROM audit WHERE n = 10"])(
  "the database itself refuses: %s",
  async (sql) => {
    await expect(verdictAfter(sql)).rejects.toThrow(/the audit log/);
  },
);
