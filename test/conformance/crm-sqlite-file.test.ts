/** The CRM's file: private, durable, shared with other programs, refused when it cannot be trusted; records fail alone. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { columnsOf, DOCTYPES } from "../../bridge/adapters/embedded/doctypes.ts";
import { openAdapter } from "../../bridge/adapters/index.ts";
import { migrate, openConnection } from "../../bridge/adapters/sqlite/connection.ts";
import { migrations } from "../../bridge/adapters/sqlite/migrations/index.ts";
import { createGroupCommit } from "../../bridge/adapters/sqlite/group-commit.ts";
import { CrmMisconfigured, CrmUnavailable } from "../../bridge/errors.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { aMessage } from "./crm/records.ts";

const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const opened: { close: () => unknown }[] = [];
let root = "";
let file = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bridge-crm-file-"));
  file = join(root, "data", "crm.db");
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  rmSync(root, { recursive: true });
});

const remembered = <T extends { close: () => unknown }>(one: T): T => {
  opened.push(one);
  return one;
};
const open = async (): Promise<CrmAdapter> =>
  remembered(await openAdapter({ kind: "sqlite", file }, { clock: fixedClock(), log }));
const otherProgram = (): Database.Database => remembered(new Database(file));
const written = (adapter: CrmAdapter, ...ids: string[]) =>
  adapter.upsertMessages({
    sessionId: "s1",
    position: null,
    items: ids.map((messageId) => aMessage({ messageId })),
  });

test("the file is for its owner alone, in a folder that is made for it", async () => {
  await open();
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("what was answered is there when the file is opened again", async () => {
  const first = await open();
  await written(first, "A", "B");
  await first.close();
  const again = await open();
  expect(await again.totals("s1")).toEqual({ contacts: 1, chats: 1, messages: 2 });
  expect(await written(again, "A")).toMatchObject([{ outcome: "unchanged" }]);
});

test("a commit waits for the disk", async () => {
  await open();
  const db = remembered(openConnection(file));
  expect(db.pragma("synchronous", { simple: true })).toBe(2);
  expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
});

test("the tables have the fields of the document types, no more and no less", () => {
  const db = remembered(openConnection(":memory:"));
  for (const type of DOCTYPES) {
    const columns = db.prepare<[string], { name: string }>("SELECT name FROM pragma_table_xinfo(?)");
    expect(columns.all(type.table).map(({ name }) => name)).toEqual(["n", "name", ...columnsOf(type)]);
  }
});

test("a file of an earlier bridge is brought up to date, with all its records", async () => {
  const first = await open();
  await written(first, "A", "B");
  await first.close();
  const before = otherProgram();
  before.exec(`
    ALTER TABLE whatsapp_message DROP COLUMN edit_position;
    ALTER TABLE whatsapp_client DROP COLUMN details;
    ALTER TABLE alias DROP COLUMN position;
    PRAGMA user_version = 1`);
  before.close();
  const again = await open();
  expect(await written(again, "A", "C")).toMatchObject([{ outcome: "unchanged" }, { outcome: "created" }]);
  expect(await again.totals("s1")).toMatchObject({ messages: 3 });
});

test("clients without an external id may be entered into a file of an earlier bridge, and nothing of others in it is lost", async () => {
  mkdirSync(join(root, "data"));
  const before = otherProgram();
  for (const step of migrations.slice(0, 3)) before.exec(step);
  const entered = (externalId: string | null, name: string): string =>
    `INSERT INTO whatsapp_client(creation, modified, external_id, client_name, national_id)
     VALUES('2026', '2026', ${externalId === null ? "NULL" : `'${externalId}'`}, '${name}', '${name}')`;
  before.exec(`
    PRAGMA user_version = 3;
    ALTER TABLE whatsapp_client ADD COLUMN theirs TEXT;
    CREATE VIEW their_view AS SELECT client_name, external_id FROM whatsapp_client;
    CREATE TRIGGER their_trigger AFTER INSERT ON whatsapp_client
      BEGIN UPDATE whatsapp_client SET theirs = NEW.client_name WHERE n = NEW.n; END;
    ${entered("w1", "first")}; ${entered("w2", "gone")};
    DELETE FROM whatsapp_client WHERE external_id = 'w2'`);
  const { clients } = await open();
  for (const [externalId, name] of [
    [null, "1"],
    [null, "2"],
    ["", "3"],
    ["", "4"],
  ] as const)
    before.exec(entered(externalId, name));
  expect(() => before.exec(entered("w1", "twin"))).toThrow(/UNIQUE/);
  for (const nationalId of ["1", "2", "3", "4"])
    expect(await clients?.find({ externalId: "other", nationalId })).toMatchObject([{ externalId: null }]);
  expect(await clients?.find({ externalId: "w1", nationalId: null })).toMatchObject([
    { id: "WACLIENT-0001" },
  ]);
  expect(before.prepare("SELECT name, theirs FROM whatsapp_client ORDER BY n").all()).toEqual([
    { name: "WACLIENT-0001", theirs: "first" },
    ...["1", "2", "3", "4"].map((name) => ({ name: `WACLIENT-000${Number(name) + 2}`, theirs: name })),
  ]);
  expect(before.prepare("SELECT * FROM their_view").all()).toHaveLength(5);
  expect(before.pragma("integrity_check", { simple: true })).toBe("ok");
});

test("a file of a newer bridge is refused, and so is a file that is none", async () => {
  const db = remembered(openConnection(file));
  db.pragma("user_version = 999");
  expect(() => migrate(db)).toThrow(CrmMisconfigured);
  await expect(open()).rejects.toThrow(CrmMisconfigured);
  file = join(root, "other.db");
  writeFileSync(file, "this is no database, but it is long enough to be looked at as one".repeat(20));
  await expect(open()).rejects.toThrow(CrmMisconfigured);
});

test("while another program holds the file the CRM is unavailable, and nothing is half done", async () => {
  const adapter = await open();
  await written(adapter, "A");
  const other = otherProgram();
  other.exec("BEGIN IMMEDIATE");
  await expect(written(adapter, "B", "C")).rejects.toThrow(CrmUnavailable);
  await expect(adapter.check()).rejects.toThrow(CrmUnavailable);
  expect(await adapter.totals("s1")).toMatchObject({ messages: 1 });
  other.exec("ROLLBACK");
  await adapter.check();
  expect(await written(adapter, "B", "C")).toMatchObject([{ outcome: "created" }, { outcome: "created" }]);
});

test("a full disk makes the CRM unavailable for all that waited, and it goes on when there is room", async () => {
  const db = remembered(openConnection(file));
  db.exec("CREATE TABLE filler (b BLOB)");
  const insert = db.prepare("INSERT INTO filler VALUES(zeroblob(?))");
  const group = createGroupCommit(db, { write: quiet, forget: quiet });
  const write = (size: number) =>
    group.write([
      () => {
        insert.run(size);
        return { outcome: "created" };
      },
    ]);
  db.pragma(`max_page_count = ${Number(db.pragma("page_count", { simple: true })) + 10}`);
  const waiting = await Promise.allSettled([write(10), write(1_000_000), write(10)]);
  for (const one of waiting)
    expect(one).toMatchObject({ status: "rejected", reason: expect.any(CrmUnavailable) as unknown });
  expect(db.prepare("SELECT COUNT(*) AS n FROM filler").get()).toEqual({ n: 0 });

  db.pragma("max_page_count = 100000");
  expect(await write(1_000_000)).toEqual([{ outcome: "created" }]);
});

test("a record that breaks a rule of the tables fails alone, with nothing of it left behind", async () => {
  const adapter = await open();
  const other = otherProgram();
  other.exec(
    `CREATE TRIGGER poison BEFORE INSERT ON whatsapp_message WHEN NEW.message_id = 'B'
     BEGIN SELECT RAISE(ABORT, 'poisoned'); END`,
  );
  const items = ["A", "B", "C"].map((messageId) =>
    aMessage({ messageId, chatId: `3460011122${messageId.charCodeAt(0) % 10}@c.us` }),
  );
  const batch = { sessionId: "s1", position: null, items };
  const outcomes = async () => (await adapter.upsertMessages(batch)).map(({ outcome }) => outcome);
  expect(await outcomes()).toEqual(["created", "rejected", "created"]);
  // Its chat and contact were made in the same piece of work.
  expect(await adapter.totals("s1")).toEqual({ contacts: 2, chats: 2, messages: 2 });
  other.exec("DROP TRIGGER poison");
  expect(await outcomes()).toEqual(["unchanged", "created", "unchanged"]);
});

test("a page bigger than one transaction is answered whole, and a webhook does not wait for all of it", async () => {
  const adapter = await open();
  const ids = Array.from({ length: 1000 }, (_, n) => `M${n}`);
  const answered: string[] = [];
  await Promise.all([
    written(adapter, ...ids).then((results) => {
      answered.push("page");
      expect(results).toEqual(ids.map(() => expect.objectContaining({ outcome: "created" }) as unknown));
    }),
    ...["X", "Y"].map((id) => written(adapter, id).then(() => answered.push(id))),
  ]);
  expect(answered.slice(0, 2).sort()).toEqual(["X", "Y"]);
  expect(await adapter.totals("s1")).toMatchObject({ messages: 1002 });
});

test("closing waits for what was given before, and refuses what comes after", async () => {
  const adapter = await open();
  const before = written(adapter, "A", "B");
  const closed = adapter.close();
  expect(await before).toMatchObject([{ outcome: "created" }, { outcome: "created" }]);
  await closed;
  await expect(written(adapter, "C")).rejects.toThrow(CrmUnavailable);
  await adapter.close();
});

test("rows deleted by hand are counted as gone and can be written again", async () => {
  const adapter = await open();
  await written(adapter, "A", "B");
  otherProgram().exec("DELETE FROM whatsapp_message WHERE message_id = 'A'");
  expect(await adapter.totals("s1")).toMatchObject({ messages: 1 });
  expect(await adapter.chatDigests("s1")).toMatchObject([{ messages: 1 }]);
  expect(await written(adapter, "A", "B")).toMatchObject([{ outcome: "created" }, { outcome: "unchanged" }]);
});

test("a name is never given twice", async () => {
  const adapter = await open();
  const [first] = await written(adapter, "A");
  otherProgram().exec("DELETE FROM whatsapp_message");
  const [second] = await written(adapter, "A");
  expect(first?.id).toBe("WAMSG-00001");
  expect(second?.id).toBe("WAMSG-00002");
});
