/** Sessions as the existing clients rely on them, member by member. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { sessionSchema } from "../../hub/contract/resources.ts";
import { sessionTotalsSchema, setSessionSchema } from "../../hub/contract/session-standing.ts";
import { isExactly, listIn, openHttpRig, recordOf } from "../support/http-rig.ts";

describe("sessions", () => {
  test("creation answers 201, then 200, with the integer id on both levels", async () => {
    const rig = await openHttpRig();
    const made = await rig.post("/api/sessions", {
      sessionId: "s1",
      sessionName: "Front desk",
      extra: "ignored",
    });
    expect(made.status).toBe(201);
    expect(made.json["success"]).toBe(true);
    const { session, ...outer } = made.data;
    isExactly(sessionSchema, outer);
    expect(session).toEqual(outer);
    expect(Number.isInteger(outer["id"])).toBe(true);
    expect(outer).toMatchObject({
      sessionId: "s1",
      sessionName: "Front desk",
      status: "disconnected",
      phoneNumber: null,
    });

    const again = await rig.post("/api/sessions", { sessionId: "s1" });
    expect([again.status, again.data["id"]]).toEqual([200, outer["id"]]);
  });

  test("a session is found by its integer and by its name, its lastActivity is never null", async () => {
    const rig = await openHttpRig();
    const { id } = await rig.session("s1");
    const byName = await rig.get("/api/sessions/s1/status");
    const byNumber = await rig.get(`/api/sessions/${id}/status`);
    expect(byName.data).toEqual(byNumber.data);
    isExactly(setSessionSchema.extend({ totals: sessionTotalsSchema, latestSeq: z.int() }), byName.data);
    expect(byName.data).toMatchObject({ status: "connected", isConnected: true, phoneNumber: "34600999888" });
    expect(byName.data["lastActivity"]).toMatch(/^\d{4}-.*Z$/);
  });

  test("ids of digits only, reserved words and wild characters are refused with the field's name", async () => {
    const rig = await openHttpRig();
    for (const sessionId of [
      "123",
      "stats",
      "frappe",
      "health",
      "_hub",
      "__proto__",
      "a b",
      "a/b",
      "",
      "ñ",
      "x".repeat(101),
      undefined,
      7,
    ]) {
      const answer = await rig.post("/api/sessions", { sessionId });
      expect([sessionId, answer.status, answer.json["code"]]).toEqual([sessionId, 400, "VALIDATION_ERROR"]);
      expect(recordOf(answer.json["details"])["fields"]).toMatchObject([{ path: "sessionId" }]);
    }
    expect((await rig.get("/api/sessions")).data["total"]).toBe(0);
  });

  test("a webhook that is refused makes no session, and changes none that is there", async () => {
    const rig = await openHttpRig();
    const { id } = await rig.session("old", { connected: false });
    const hook = "http://127.0.0.1:9/h";
    for (const [webhook, paths] of [
      [{ webhookUrl: "http://10.0.0.1/h" }, ["webhookUrl"]],
      [{ webhookUrl: "no url" }, ["webhookUrl"]],
      [{ webhookUrl: hook, webhookSecret: "short" }, ["webhookSecret"]],
      [{ webhookUrl: "http://10.0.0.1/h", webhookSecret: "short" }, ["webhookSecret", "webhookUrl"]],
    ] as const)
      for (const sessionId of ["new", "old"]) {
        const answer = await rig.post("/api/sessions", { sessionId, sessionName: "Other", ...webhook });
        expect([webhook, answer.status, answer.json["code"]]).toEqual([webhook, 400, "VALIDATION_ERROR"]);
        const fields = listIn(recordOf(answer.json["details"]), "fields");
        expect(fields.map(({ path }) => path)).toEqual(paths);
      }
    const sessions = listIn((await rig.get("/api/sessions")).data, "sessions");
    expect(sessions.map((session) => [session["id"], session["sessionName"]])).toEqual([[id, "old"]]);
    expect(await rig.store.events.range()).toMatchObject({ latestSeq: 0 });
    expect(await rig.store.endpoints.list()).toEqual([]);
    expect((await rig.post("/api/sessions", { sessionId: "new", webhookUrl: hook })).status).toBe(201);
    // What is set already is not looked at again.
    expect((await rig.post("/api/sessions", { sessionId: "new", webhookUrl: hook })).status).toBe(200);
  });

  test("after connect the status is connecting or qr_code at once, and the QR code is bare base64 by default", async () => {
    const rig = await openHttpRig();
    await rig.session("s1", { connected: false });
    const account = rig.whatsapp.account("s1");
    account.whenOpened((opened) =>
      opened.shows("2@qr-text,abc", new Date(rig.clock.now().getTime() + 20_000)),
    );
    const connecting = await rig.call("POST", "/api/sessions/s1/connect");
    expect(connecting.status).toBe(200);
    expect(["connecting", "qr_code"]).toContain(connecting.data["status"]);

    const qr = await rig.get("/api/sessions/s1/qr?wait=5");
    expect(qr.status).toBe(200);
    expect(qr.headers.get("cache-control")).toBe("no-store");
    expect(qr.data).toMatchObject({ sessionId: "s1", status: "qr_code" });
    const bare = String(qr.data["qrCode"]);
    expect(Buffer.from(bare, "base64").subarray(1, 4).toString()).toBe("PNG");
    expect(qr.data["qrCodeDataUrl"]).toBe(`data:image/png;base64,${bare}`);

    const png = await fetch(`${rig.url}/api/sessions/s1/qr?form=png`, { headers: { "X-API-Key": rig.key } });
    expect(png.headers.get("content-type")).toBe("image/png");
    expect(rig.logged()).not.toContain("qr-text");
  });

  test("no code yet is QR_NOT_READY; deleting answers 200 and then the session is gone", async () => {
    const rig = await openHttpRig();
    const { id } = await rig.session("s1", { connected: false });
    const none = await rig.get("/api/sessions/s1/qr?wait=0");
    expect([none.status, none.json["code"]]).toEqual([404, "QR_NOT_READY"]);
    const deleted = await rig.call("DELETE", "/api/sessions/s1");
    expect([deleted.status, deleted.data]).toEqual([200, { id, sessionId: "s1", deleted: true }]);
    expect((await rig.get("/api/sessions/s1/status")).status).toBe(404);
    expect((await rig.get("/api/sessions")).data["total"]).toBe(0);

    const back = await rig.post("/api/sessions/s1/connect");
    expect([back.status, back.data["id"]]).toEqual([200, id]);
  });

  test("one that was deleted comes back by its integer as by its name, for who sees it", async () => {
    const rig = await openHttpRig();
    const { id } = await rig.session("s1", { connected: false });
    const keyFor = async (session: string): Promise<string> => {
      const made = await rig.post("/api/keys", { name: session, scopes: ["admin"], sessions: [session] });
      return String(made.data["key"]);
    };
    const [key, other] = [await keyFor("s1"), await keyFor("s2")];
    const connect = (by?: string) =>
      rig.post(`/api/sessions/${id}/connect`, {}, ...(by === undefined ? [] : [{ key: by }]));
    await rig.call("DELETE", `/api/sessions/${id}`);
    expect((await connect(other)).status).toBe(404);
    const back = await connect();
    expect([back.status, back.data["id"], back.data["sessionId"]]).toEqual([200, id, "s1"]);

    await rig.call("DELETE", "/api/sessions/s1");
    const again = await connect(key);
    expect([again.status, again.data["id"]]).toEqual([200, id]);
    expect((await rig.post(`/api/sessions/${id + 1}/connect`)).status).toBe(404);
  });

  test("empty bodies with a JSON type are fine on every method", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    for (const [method, path] of [
      ["GET", "/api/sessions"],
      ["POST", "/api/sessions/s1/disconnect"],
      ["POST", "/api/sessions/s1/restart"],
      ["DELETE", "/api/sessions/s1"],
    ] as const) {
      const answer = await rig.call(method, path, { headers: { "Content-Length": "0" } });
      expect([path, answer.status]).toEqual([path, 200]);
    }
  });

  test("who switches a session's bot is told to CRMs, at its making as well, and only when something changes", async () => {
    const rig = await openHttpRig();
    const bot = { enabled: true, reason: null };
    await rig.post("/api/sessions", { sessionId: "s1", settings: { bot } });
    await rig.post("/api/sessions", { sessionId: "s2", settings: { bot: { enabled: false } } });
    await rig.put("/api/sessions/s1/settings", { bot });
    await rig.put("/api/sessions/s1/settings", { jidForm: "c.us" });
    const key = await rig.makeKey({ client: "panel" });
    const off = { enabled: false, reason: "a person answers" };
    const saved = await rig.put("/api/sessions/s1/settings", { bot: off }, { key });
    expect(saved.data["bot"]).toEqual(off);
    const rows = await rig.store.events.after({ after: 0, limit: 9, sessions: "*", types: ["bot.status"] });
    const timestamp = Math.floor(rig.clock.now().getTime() / 1000);
    expect(rows.map(({ body }) => recordOf(JSON.parse(body))["data"])).toEqual([
      { sessionId: "s1", session_db_id: 1, ...bot, by: "tests", timestamp },
      { sessionId: "s1", session_db_id: 1, ...off, by: "panel", timestamp },
    ]);
  });

  test("the list pages by clamped numbers and by cursor, and answers total beside the pagination", async () => {
    const rig = await openHttpRig();
    for (const name of ["a", "b", "c", "d", "e"]) await rig.session(name, { connected: false });
    const first = await rig.get("/api/sessions?limit=2&page=0");
    expect(first.data["total"]).toBe(5);
    expect(first.data["pagination"]).toMatchObject({ total: 5, page: 1, limit: 2, pages: 3 });
    const seen = listIn(first.data, "sessions").map(({ sessionId }) => sessionId);
    for (let cursor = recordOf(first.data["pagination"])["nextCursor"]; typeof cursor === "string";) {
      const next = await rig.get(`/api/sessions?limit=2&cursor=${cursor}`);
      seen.push(...listIn(next.data, "sessions").map(({ sessionId }) => sessionId));
      cursor = recordOf(next.data["pagination"])["nextCursor"];
    }
    expect(seen).toEqual(["a", "b", "c", "d", "e"]);
    expect(listIn((await rig.get("/api/sessions?limit=5000&page=x")).data, "sessions")).toHaveLength(5);
  });
});
