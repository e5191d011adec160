/** The CRM's file knows who reacted under a hidden id, and to what, for as long as they have no number. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { aMessage, ANA, EVA, HIDDEN, NOW } from "./crm/records.ts";

const OTHER = "11122233344455@lid";
const BEFORE = 6;

async function world() {
  const dir = mkdtempSync(join(tmpdir(), "crm-reactors-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "crm.db");
  const adapter = await openSqliteAdapter({ file, clock: fixedClock() });
  const db = new Database(file);
  onTestFinished(async () => {
    db.close();
    await adapter.close();
  });
  const reaction = (from: string) => ({ from, emoji: "👍", timestamp: NOW });
  await adapter.upsertMessages({
    sessionId: "s1",
    position: 1,
    items: [
      aMessage({ messageId: "A", reactions: [HIDDEN, EVA].map(reaction) }),
      aMessage({ messageId: "B" }),
      aMessage({ messageId: "C", reactions: [reaction(EVA)] }),
    ],
  });
  const react = (messageId: string, from: string) =>
    adapter.changeMessages({
      sessionId: "s1",
      position: 2,
      items: [{ kind: "reaction", chatId: ANA, messageId, from, emoji: "👍", at: NOW }],
    });
  await react("B", HIDDEN);
  await react("B", OTHER);
  const noted = () =>
    db
      .prepare(
        `SELECT h.lid, m.message_id AS message FROM hidden_reactor h
         LEFT JOIN whatsapp_message m ON m.name = h.message ORDER BY message, lid`,
      )
      .all();
  return { adapter, db, noted };
}

const ALL = [
  { lid: HIDDEN, message: "A" },
  { lid: OTHER, message: "B" },
  { lid: HIDDEN, message: "B" },
];

test("until the id gets its number, or the message goes", async () => {
  const { adapter, db, noted } = await world();
  expect(noted()).toEqual(ALL);
  await adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: EVA, position: 3 });
  expect(noted()).toEqual([{ lid: OTHER, message: "B" }]);
  const reactions = db.prepare("SELECT reactions FROM whatsapp_message").pluck().all().join("");
  expect(reactions).not.toContain(HIDDEN);
  db.exec("DELETE FROM whatsapp_message WHERE message_id = 'B'");
  expect(noted()).toEqual([]);
});

test("also of what an earlier bridge wrote", async () => {
  const { adapter, db, noted } = await world();
  db.exec(`
    ALTER TABLE alias DROP COLUMN position;
    DROP TABLE hidden_reactor;
    PRAGMA user_version = ${BEFORE}`);
  await adapter.prepare();
  expect(noted()).toEqual(ALL);
});
