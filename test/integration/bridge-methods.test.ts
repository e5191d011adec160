/** The methods a CRM calls: syncs, sessions, sends, what failed. */
import { describe, expect, test } from "vitest";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { ANA, APP, openBridgeRig, READER, rigWithPeople, withPeople } from "../support/bridge-rig.ts";
import { hubDown } from "../support/fake-hub.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { listIn, recordOf } from "../support/http-rig.ts";

describe("sync_session_complete", () => {
  test("brings everything, and answers within the wait what became of it", async () => {
    const rig = await rigWithPeople({ BRIDGE_SYNC_ON_CONNECT: "0" });
    await rig.bridge.idle();
    const { status, message } = await rig.method("api.sync.sync_session_complete", {
      session_name: "s1",
      wait: 10,
    });
    expect(status).toBe(200);
    expect(message).toMatchObject({
      success: true,
      session: "s1",
      status: "done",
      progress: 100,
      contacts: { processed: 1, errors: 0 },
      chats: { processed: 1, errors: 0 },
      messages: { processed: 3, errors: 0 },
    });
    const held = await rig.call("GET", "/api/resource/WhatsApp%20Message");
    expect(held.json["data"]).toHaveLength(3);
  });

  test("takes the session's number, its name, or the CRM's name of it, as JSON, form or query", async () => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    const { json } = await rig.call("GET", "/api/resource/WhatsApp%20Session");
    const [document] = listIn(json, "data");
    const { session } = await rig.hub.session("s1");
    const path = `/api/method/${APP}.api.sync.sync_session_complete`;
    for (const name of [String(session.id), "Front desk", String(document?.["name"])]) {
      const form = await rig.call("POST", path, {
        body: new URLSearchParams({ session_name: name }).toString(),
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
      });
      expect([name, form.status, form.message["session"]]).toEqual([name, 200, "s1"]);
    }
    const query = await rig.call("POST", `${path}?session_name=s1`);
    expect(query.message["session"]).toBe("s1");
  });

  test("of a session that is not connected says so without an error", async () => {
    const rig = await openBridgeRig({
      given: (hub) => {
        withPeople(hub);
        hub.turns("s1", "disconnected");
      },
    });
    const { status, message } = await rig.method("api.sync.sync_session_complete", { session_name: "s1" });
    expect([status, message]).toEqual([200, { success: false, message: "Session s1 is not connected." }]);
  });

  test("of an unknown session is 404, without a session 417, with the hub away 503", async () => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    const call = (args: object) => rig.method("api.sync.sync_session_complete", { ...args });
    expect((await call({ session_name: "nobody" })).json).toMatchObject({ exc_type: "DoesNotExistError" });
    expect(await call({})).toMatchObject({ status: 417, json: { exc_type: "ValidationError" } });
    rig.hub.before = () => {
      throw hubDown();
    };
    const away = await call({ session_name: "s1" });
    expect([away.status, away.headers.get("retry-after")]).toEqual([503, "10"]);
    expect(away.message).toMatchObject({ success: false, code: "UNAVAILABLE" });
  });

  test("brings only the parts asked for", async () => {
    const rig = await rigWithPeople({ BRIDGE_SYNC_ON_CONNECT: "0" });
    await rig.bridge.idle();
    const { message } = await rig.method("api.sync.sync_session_data", {
      session_name: "s1",
      sync_contacts_flag: "1",
      sync_conversations_flag: 0,
      sync_messages_flag: "false",
      wait: "10",
    });
    expect(message).toMatchObject({
      status: "done",
      contacts: { processed: 1 },
      chats: { processed: 0 },
      messages: { processed: 0 },
    });
  });
});

describe("get_sync_status", () => {
  test("says of each session how it is, what the CRM has, and how far the feed is behind", async () => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    const { message } = await rig.method("api.sync.get_sync_status");
    expect(listIn(message, "sessions")).toMatchObject([
      {
        session: "s1",
        status: "connected",
        is_connected: true,
        total_contacts: 1,
        total_chats: 1,
        total_messages: 3,
        lag: 0,
        job: { status: "done", progress: 100, step: "stats" },
      },
    ]);
    const jobId = recordOf(listIn(message, "sessions")[0]?.["job"])["job_id"];
    const byJob = await rig.method("api.sync.get_sync_status", { job_id: jobId });
    expect(listIn(byJob.message, "sessions")).toMatchObject([{ session: "s1", job: { job_id: jobId } }]);
    expect((await rig.method("api.sync.get_sync_status", { job_id: "none" })).status).toBe(404);
    const quick = await rig.method("api.sync.get_sync_status", { job_id: jobId, totals: false });
    expect(listIn(quick.message, "sessions")).toMatchObject([
      { job: { job_id: jobId }, total_messages: null },
    ]);
  });

  test("is answered while the hub is away, without what only the hub knows", async () => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    rig.clock.advance(10_000);
    rig.hub.before = () => {
      throw hubDown();
    };
    const { status, message } = await rig.method("api.sync.get_sync_status", { session_name: "s1" });
    expect(status).toBe(200);
    expect(listIn(message, "sessions")).toMatchObject([{ session: "s1", hub_seq: null, lag: null }]);
  });
});

describe("orders for a session", () => {
  test("go to the hub, and the registry remembers who gave them", async () => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    const ended = await rig.method("api.session.disconnect", { session_id: "s1" });
    expect(ended.message).toMatchObject({ success: true, data: { sessionId: "s1", status: "disconnected" } });
    const after = await rig.call("GET", "/api/connections");
    const [connection] = listIn(recordOf(after.json["data"]), "connections");
    expect(connection).toMatchObject({
      sessionId: "s1",
      manuallyDisconnected: true,
      disconnectedBy: "crm",
      shouldAutoReconnect: false,
    });
    await rig.method("api.session.connect", { session_id: "s1" });
    expect(rig.bridge.connections.get("s1")).toMatchObject({
      manuallyDisconnected: false,
      disconnectedBy: null,
    });
  });

  test("are in the log with who gave them, also the one for a new account", async () => {
    const rig = await rigWithPeople();
    await rig.method("api.session.create_session", { session_id: "s9" });
    await rig.method("api.session.disconnect", { session_id: "s1" });
    await rig.method("api.session.connect", { session_id: "s1" });
    const given = ["connection.created_by_order", "connection.ended_by_order", "connection.ordered"];
    expect(given.flatMap((event) => rig.log.lines(event).map(({ facts }) => facts))).toEqual([
      { sessionId: "s9", by: "crm" },
      { sessionId: "s1", by: "crm" },
      { sessionId: "s1", by: "crm" },
    ]);
  });

  test("pass on the status and the code to scan", async () => {
    const rig = await rigWithPeople();
    const status = await rig.call("GET", `/api/method/${APP}.api.session.get_session_status?session_id=s1`);
    expect(status.message).toMatchObject({ success: true, data: { sessionId: "s1", isConnected: true } });
    const code = await rig.method("api.session.get_qr_code", { session_id: "s1" });
    expect(code.message).toMatchObject({
      success: true,
      data: { qrCode: "iVBORw0KGgo=", status: "qr_code" },
    });
    expect(code.headers.get("cache-control")).toBe("no-store");
    // It looks and changes nothing, but whoever sees the code can link a phone.
    const path = `/api/method/${APP}.api.session.get_qr_code?session_id=s1`;
    expect((await rig.call("GET", path)).message).toMatchObject({ success: true });
    expect((await rig.call("GET", path, { key: READER })).status).toBe(403);
    expect(rig.log.text()).not.toContain("iVBORw0KGgo=");
  });
});

describe("what failed", () => {
  test("is listed with its reason, and retried one or all until it is well", async () => {
    const memory = createMemoryAdapter({ clock: fixedClock() });
    let isPicky = true;
    const rig = await openBridgeRig({
      given: withPeople,
      overrides: {
        adapter: {
          ...memory,
          upsertContacts: (batch) =>
            isPicky
              ? Promise.resolve(batch.items.map(() => ({ outcome: "rejected" as const, error: "too odd" })))
              : memory.upsertContacts(batch),
        },
      },
    });
    await rig.bridge.idle();
    const listed = await rig.method("api.sync.list_failed");
    expect(listIn(listed.message, "items")).toMatchObject([
      { kind: "contact", session: "s1", key: ANA, error: "too odd", attempts: 1 },
    ]);
    const [item] = listIn(listed.message, "items");
    // A person names the session as anywhere else; a name that nothing has is a mistake, not an empty list.
    const number = String((await rig.hub.session("s1")).session.id);
    const byNumber = await rig.method("api.sync.list_failed", { session_name: number });
    expect(listIn(byNumber.message, "items")).toHaveLength(1);
    expect((await rig.method("api.sync.list_failed", { session_name: "nobody" })).status).toBe(404);

    const again = await rig.method("api.sync.retry_failed", { item: item?.["id"] });
    expect(again.message).toEqual({ success: true, retried: 1, still_failing: 1 });
    isPicky = false;
    const healed = await rig.method("api.sync.retry_failed", { all: 1 });
    expect(healed.message).toEqual({ success: true, retried: 1, still_failing: 0 });
    expect(listIn((await rig.method("api.sync.list_failed")).message, "items")).toEqual([]);
    expect((await memory.totals("s1")).contacts).toBe(1);
  });

  test("must be named to be retried", async () => {
    const rig = await rigWithPeople();
    expect((await rig.method("api.sync.retry_failed")).status).toBe(417);
    expect((await rig.method("api.sync.retry_failed", { item: "none" })).status).toBe(404);
    expect((await rig.method("api.sync.retry_failed", { job_id: "none" })).status).toBe(404);
  });
});

describe("the scheduled work, on order", () => {
  test("all sessions are synced, and the answer counts them", async () => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    const { message } = await rig.method("api.sync.auto_sync_all_sessions");
    expect(message).toEqual({ success: true, total_sessions: 1, synced: 1, failed: 0, errors: [] });
  });

  test("switched off, it says so", async () => {
    const rig = await rigWithPeople({ BRIDGE_AUTO_SYNC: "off" });
    const { status, message } = await rig.method("api.sync.auto_sync_all_sessions");
    expect([status, message]).toEqual([
      200,
      { success: false, message: "The automatic sync is switched off." },
    ]);
  });

  test("a comparison tells what was missing and was repaired", async () => {
    const rig = await rigWithPeople({ BRIDGE_SYNC_ON_CONNECT: "0" });
    await rig.bridge.idle();
    rig.hub.store.addMessage("s1", { chatId: ANA, content: "nobody told" });
    const { status, message } = await rig.method("api.sync.reconcile", { session_name: "s1" });
    expect(status).toBe(200);
    expect(message).toMatchObject({ success: true, errors: [] });
    expect(Number(message["repaired"])).toBeGreaterThan(0);
  });
});

describe("a method nobody declared", () => {
  test("is 404 in Frappe's shape, a path nobody serves 404 in ours", async () => {
    const rig = await openBridgeRig();
    const unknown = await rig.method("api.sync.drop_all");
    expect([unknown.status, unknown.json["exc_type"], unknown.message["success"]]).toEqual([
      404,
      "DoesNotExistError",
      false,
    ]);
    const nowhere = await rig.call("GET", "/api/nowhere");
    expect([nowhere.status, nowhere.json["success"]]).toEqual([404, false]);
  });

  test("a body that is no JSON, or too large, is refused and nothing of it is quoted", async () => {
    const rig = await openBridgeRig();
    const path = `/api/method/${APP}.api.sync.get_sync_status`;
    const broken = await rig.call("POST", path, { body: '{"secret-word"' });
    expect([broken.status, broken.message["success"]]).toEqual([417, false]);
    expect(broken.text).not.toContain("secret-word");
    const large = await rig.call("POST", path, { body: JSON.stringify({ x: "y".repeat(300_000) }) });
    expect([large.status, large.json["exc_type"]]).toEqual([413, "RequestTooLargeError"]);
  });
});
