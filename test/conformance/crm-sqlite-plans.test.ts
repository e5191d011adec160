/** Every statement of the embedded CRM finds its rows through an index: a big CRM answers like a small one. */
import { expect, test } from "vitest";
import { openConnection, type Db } from "../../bridge/adapters/sqlite/connection.ts";
import { createSqliteRows } from "../../bridge/adapters/sqlite/sqlite-rows.ts";

/** The statements that the rows prepare. */
function preparedOn(db: Db): string[] {
  const prepared: string[] = [];
  const { prepare } = db;
  db.prepare = ((sql: string) => {
    prepared.push(sql);
    return prepare.call(db, sql);
  }) as typeof prepare;
  createSqliteRows(db);
  db.prepare = prepare;
  return prepared;
}

test("no statement walks a table or a whole chat for one message", () => {
  const db = openConnection(":memory:");
  const plans = preparedOn(db).map((sql) => {
    const parameters = new Set(sql.match(/@\w+/g));
    const steps = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
    const named = Object.fromEntries([...parameters].map((name) => [name.slice(1), null]));
    const values = parameters.size > 0 ? [named] : (sql.match(/\?/g) ?? []).map(() => "");
    return { sql, plan: steps.all(...values).map(({ detail }) => detail) };
  });
  db.close();
  expect(plans.length).toBeGreaterThan(20);
  for (const { sql, plan } of plans) {
    expect(
      plan.filter((step) => step.startsWith("SCAN whatsapp_")),
      sql,
    ).toEqual([]);
    if (sql.includes("message_id = ?")) expect(plan.join("\n"), sql).toContain("whatsapp_message_key");
  }
});
