/** Rows that somebody deletes from the CRM's file: what comes back is there once, and links lead to records that exist. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import type { Chat, Contact, Message } from "../../bridge/records.ts";
import { openConnection } from "../../bridge/adapters/sqlite/connection.ts";
import { rowsByHand } from "../../bridge/adapters/sqlite/migrations/0008-rows-by-hand.ts";
import { migrations } from "../../bridge/adapters/sqlite/migrations/index.ts";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { aChat, aContact, aMessage, ANA, anImage, EVA, GROUP, HIDDEN } from "./crm/records.ts";

const BEFORE_REPAIRS = 7;

function aFile() {
  const dir = mkdtempSync(join(tmpdir(), "crm-by-hand-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const db = new Database(join(dir, "crm.db"));
  onTestFinished(() => void db.close());
  const rows = (sql: string) => db.prepare(sql).all();
  return {
    db,
    open: async () => {
      const adapter = await openSqliteAdapter({ file: join(dir, "crm.db"), clock: fixedClock() });
      onTestFinished(() => adapter.close());
      const to = <T>(items: T[]) => ({ sessionId: "s1", position: null, items });
      return {
        adapter,
        contacts: (...items: Contact[]) => adapter.upsertContacts(to(items)),
        chats: (...items: Chat[]) => adapter.upsertChats(to(items)),
        messages: (...items: Message[]) => adapter.upsertMessages(to(items)),
      };
    },
    dangling: () => ({
      chats: rows(
        "SELECT chat_id FROM whatsapp_conversation WHERE contact NOT IN (SELECT name FROM whatsapp_contact)",
      ),
      messages: rows(
        "SELECT message_id FROM whatsapp_message WHERE contact NOT IN (SELECT name FROM whatsapp_contact)",
      ),
    }),
    authors: () =>
      rows(
        `SELECT m.message_id AS message, c.contact_id AS contact
         FROM whatsapp_message m LEFT JOIN whatsapp_contact c ON c.name = m.contact ORDER BY m.n`,
      ),
    messageIds: () => db.prepare("SELECT message_id FROM whatsapp_message ORDER BY n").pluck().all(),
    mediaCount: () => db.prepare("SELECT COUNT(*) FROM whatsapp_message_media").pluck().get(),
  };
}

const NONE = { chats: [], messages: [] };
const inGroup = (messageId: string) => aMessage({ messageId, chatId: GROUP, participant: ANA, from: ANA });
const own = (messageId: string) => aMessage({ messageId, fromMe: true, status: "sent" });

test.each(["contact", "chat"] as const)(
  "chats and messages lead to the record of a contact that was deleted and came back with its %s",
  async (told) => {
    const { db, open, dangling, authors } = aFile();
    const crm = await open();
    await crm.contacts(aContact());
    await crm.messages(aMessage({ messageId: "A" }), own("B"), inGroup("C"));
    db.exec("DELETE FROM whatsapp_contact");
    await crm.messages(aMessage({ messageId: "D" }));
    if (told === "contact") await crm.contacts(aContact());
    else await crm.chats(aChat());
    await crm.messages(aMessage({ messageId: "E" }), inGroup("F"));
    expect(dangling()).toEqual(NONE);
    expect(authors()).toEqual(["A", "B", "C", "D", "E", "F"].map((message) => ({ message, contact: ANA })));
  },
);

test("links of a file of an earlier bridge that lead to no record lead to the contact that came back, or nowhere", async () => {
  const { db, open, dangling, authors } = aFile();
  const before = await open();
  await before.contacts(aContact());
  await before.messages(
    aMessage({ messageId: "A" }),
    inGroup("B"),
    aMessage({ messageId: "C", chatId: EVA, from: EVA }),
  );
  db.exec(`
    UPDATE whatsapp_conversation SET contact = 'WACONT-00077' WHERE contact IS NOT NULL;
    UPDATE whatsapp_message SET contact = 'WACONT-00077';
    DELETE FROM whatsapp_contact WHERE contact_id = '${EVA}'`);
  backTo(db, BEFORE_REPAIRS);
  await before.adapter.prepare();
  expect(dangling()).toEqual(NONE);
  expect(authors()).toEqual([
    { message: "A", contact: ANA },
    { message: "B", contact: ANA },
    { message: "C", contact: null },
  ]);
});

test("a chat that is deleted takes its messages and their files with it, and all come back once", async () => {
  const { db, open, messageIds, mediaCount } = aFile();
  const crm = await open();
  const all = [
    aMessage({ messageId: "A", ...anImage() }),
    aMessage({ messageId: "B" }),
    aMessage({ messageId: "C", chatId: EVA, from: EVA, ...anImage() }),
  ];
  await crm.messages(...all);
  db.exec(`DELETE FROM whatsapp_conversation WHERE chat_id = '${ANA}'`);
  expect(messageIds()).toEqual(["C"]);
  expect(mediaCount()).toBe(1);
  await crm.messages(...all);
  expect(messageIds()).toEqual(["C", "A", "B"]);
  expect(mediaCount()).toBe(2);
  db.exec("DELETE FROM whatsapp_message WHERE message_id = 'C'");
  expect(mediaCount()).toBe(1);
});

test("a chat that becomes one with another takes no message with it", async () => {
  const { open, messageIds, mediaCount } = aFile();
  const crm = await open();
  await crm.messages(
    aMessage({ messageId: "A", chatId: HIDDEN, from: HIDDEN, ...anImage() }),
    aMessage({ messageId: "B", chatId: HIDDEN, from: HIDDEN }),
    aMessage({ messageId: "C" }),
    aMessage({ messageId: "B" }),
  );
  await crm.adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: null });
  expect(messageIds()).toEqual(["A", "C", "B"]);
  expect(mediaCount()).toBe(1);
});

test("messages of a deleted chat in a file of an earlier bridge go where they came back; the only copy stays", async () => {
  const { db, open, messageIds, mediaCount } = aFile();
  const before = await open();
  await before.messages(
    aMessage({ messageId: "A", ...anImage() }),
    aMessage({ messageId: "OLD" }),
    aMessage({ messageId: "B", chatId: EVA, from: EVA, ...anImage() }),
    inGroup("C"),
  );
  backTo(db, BEFORE_REPAIRS);
  db.exec(`DELETE FROM whatsapp_conversation WHERE chat_id = '${ANA}'`);
  await before.messages(aMessage({ messageId: "A", ...anImage() }));
  expect(messageIds()).toEqual(["A", "OLD", "B", "C", "A"]);
  await before.adapter.prepare();
  expect(messageIds()).toEqual(["OLD", "B", "C", "A"]);
  expect(mediaCount()).toBe(2);
});

// Regression: 20,000 messages of deleted chats in a file of a million held the start up for an hour.
test("the repair finds what came back by its whole key, however much the file has", () => {
  const db = openConnection(":memory:");
  onTestFinished(() => void db.close());
  const repairs = rowsByHand
    .slice(rowsByHand.lastIndexOf("END;") + "END;".length)
    .split(";")
    .filter((statement) => statement.trim() !== "");
  expect(repairs).toHaveLength(3);
  for (const sql of repairs) {
    const steps = db.prepare<[], { id: number; parent: number; detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
    const plan = steps.all();
    const perRow = plan.filter(({ detail }) => detail.startsWith("CORRELATED")).map(({ id }) => id);
    const byRow = plan.filter(({ parent }) => perRow.includes(parent)).map(({ detail }) => detail);
    for (const step of byRow) expect(step, sql).toMatch(/^SEARCH . USING INDEX whatsapp_\w+_(key|name) /);
  }
});

/** What the steps from there on added goes. */
function backTo(db: Database.Database, version: number): void {
  expect(migrations.length).toBeGreaterThan(version);
  const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all();
  for (const name of triggers) db.exec(`DROP TRIGGER ${String(name)}`);
  db.exec("ALTER TABLE alias DROP COLUMN position");
  db.pragma(`user_version = ${version}`);
}
