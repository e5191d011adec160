/** Records that a CRM lost, or has otherwise than the hub since somebody restored it: how an operator brings them back. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteAdapter } from "../../bridge/adapters/sqlite/sqlite-adapter.ts";
import { eventBody } from "../../hub/contract/index.ts";
import { openBridgeRig, withPeople, type BridgeRig } from "../support/bridge-rig.ts";
import { fixedClock, hours } from "../support/fixed-clock.ts";
import { signedHeaders } from "../support/receiver-rig.ts";

/** A bridge over a CRM in a file, and another program that writes into the same file. */
async function rigOverFile(): Promise<{ rig: BridgeRig; crm: (sql: string) => number }> {
  const dir = mkdtempSync(join(tmpdir(), "bridge-crm-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "crm.db");
  const adapter = await openSqliteAdapter({ file, clock: fixedClock() });
  const rig = await openBridgeRig({ given: withPeople, overrides: { adapter } });
  await rig.bridge.idle();
  return {
    rig,
    crm: (sql) => {
      const db = new Database(file);
      const { changes } = db.prepare(sql).run();
      db.close();
      return changes;
    },
  };
}

test("an event that is sent again on order is written again, though it was applied before", async () => {
  const { rig, crm } = await rigOverFile();
  const event = rig.hub.receives("s1", { chatId: "34600111222@c.us", messageId: "3AREPLAY" });
  const body = eventBody(event);
  const post = async (more: Record<string, string> = {}) => {
    const signed = signedHeaders(body, { id: event.id, now: rig.clock.now() });
    const headers = { ...signed, "Content-Type": "application/json", ...more };
    const { status, json } = await rig.call("POST", "/webhook", { key: null, body, headers });
    return [status, json["processed"]];
  };
  const lose = (): number => crm("DELETE FROM whatsapp_message WHERE message_id LIKE '%3AREPLAY'");
  const done = (action: string) => [200, { processed: true, action, message_id: "3AREPLAY" }];

  expect(await post()).toEqual(done("created"));
  expect(lose()).toBe(1);
  expect(await post()).toEqual(done("duplicate"));
  expect(await post({ "X-Webhook-Replay": "1" })).toEqual(done("created"));
  expect(lose()).toBe(1);
  expect(await post({ "X-Webhook-Replay": "1" })).toEqual(done("created"));
  expect(await post()).toEqual(done("duplicate"));
});

test("a full sync reads also what has not changed since the last one", async () => {
  const { rig, crm } = await rigOverFile();
  const sync = async (more: object) => {
    rig.clock.advance(hours(2));
    const { message } = await rig.method("api.sync.sync_session_complete", {
      session_name: "s1",
      wait: 10,
      ...more,
    });
    return message;
  };
  expect(await sync({})).toMatchObject({ status: "done" });
  expect(crm("UPDATE whatsapp_contact SET contact_name = 'old'")).toBe(1);
  expect(await sync({})).toMatchObject({ status: "done", contacts: { processed: 0 } });
  expect(await sync({ full: 1 })).toMatchObject({
    status: "done",
    contacts: { processed: 1, updated: 1 },
    messages: { processed: 3, unchanged: 3 },
  });
  expect(crm("UPDATE whatsapp_contact SET contact_name = 'Ana' WHERE contact_name = 'Ana'")).toBe(1);
  expect(await sync({ full: 0 })).toMatchObject({ status: "done", contacts: { processed: 0 } });
});
