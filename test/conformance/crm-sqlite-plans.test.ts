/** Every statement of the embedded CRM finds its rows through an index: a big CRM answers like a small one. */
import { expect, test } from "vitest";
import { openConnection, type Db } from "../../bridge/adapters/sqlite/connection.ts";
import { createSqliteDocuments } from "../../bridge/adapters/sqlite/sqlite-documents.ts";
import { planOf } from "../../bridge/adapters/embedded/document-plan.ts";
import { DOCTYPES } from "../../bridge/adapters/embedded/doctypes.ts";
import { listParameters } from "../../bridge/http/list-parameters.ts";
import { createSqliteRows } from "../../bridge/adapters/sqlite/sqlite-rows.ts";

/** The statements that this work prepares. */
function preparedOn(db: Db, work: () => unknown): string[] {
  const prepared: string[] = [];
  const { prepare } = db;
  db.prepare = ((sql: string) => {
    prepared.push(sql);
    return prepare.call(db, sql);
  }) as typeof prepare;
  work();
  db.prepare = prepare;
  return prepared;
}

/** Asked for each new contact or message, and nearly always in vain. */
const LATE_LINKS = [
  ["quoted_message_id = @", "whatsapp_message_answers"],
  ["quoted_message_id IS NOT NULL", "whatsapp_message_answers"],
  ["FROM hidden_reactor WHERE session = ?", "hidden_reactor USING PRIMARY KEY (session=? AND lid=?)"],
  ["FROM hidden_reactor WHERE message = ?", "hidden_reactor_message"],
  ["participant <> ''", "whatsapp_message_by_member"],
] as const;

test("no statement walks a table or a whole chat for one message", () => {
  const db = openConnection(":memory:");
  const plans = preparedOn(db, () => createSqliteRows(db)).map((sql) => {
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
    for (const [condition, index] of LATE_LINKS)
      if (sql.includes(condition)) expect(plan.join("\n"), sql).toContain(index);
  }
  for (const [condition] of LATE_LINKS)
    expect(plans.filter(({ sql }) => sql.includes(condition)).length, condition).toBeGreaterThan(0);
});

test("a list as it comes unless asked otherwise, the newest first, is read without sorting", () => {
  const db = openConnection(":memory:");
  const documents = createSqliteDocuments(db);
  for (const { doctype } of DOCTYPES) {
    const [sql = ""] = preparedOn(db, () => documents.list(planOf(listParameters(doctype, {}))));
    const steps = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(20, 0);
    const plan = steps.map(({ detail }) => detail).join("\n");
    expect(plan, sql).not.toContain("TEMP B-TREE");
  }
  db.close();
});
