/** Who did what: each order leaves one row, refusals leave some, and no row holds a secret. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { auditEntrySchema } from "../../hub/contract/administration.ts";
import { doneBy, type AuditEntry } from "../../hub/core/audit.ts";
import { HubError } from "../../hub/core/errors.ts";
import { allRoutes } from "../../hub/http/routes/index.ts";
import { minutes } from "../support/fixed-clock.ts";
import { isExactly, listIn, openHttpRig, type HttpRig } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

const rows = async ({ store }: HttpRig): Promise<AuditEntry[]> =>
  (await store.audit.list({ limit: 1000, page: 1 })).items.reverse();

const orders = allRoutes.filter(
  ({ method, scope }) => method !== "get" && (scope === "admin" || scope === "webhooks"),
);

describe("an order", () => {
  test("leaves one row with who, what, to what and how it ended", async () => {
    const rig = await openHttpRig();
    await rig.post("/api/sessions", { sessionId: "s1", sessionName: "Front desk of Ana" });
    const { data } = await rig.post("/api/keys", { name: "CRM", scopes: ["read"], sessions: ["s1"] });
    await rig.put(`/api/keys/${String(data["id"])}`, { name: "CRM 2" });
    await rig.put("/api/sessions/s1/settings", { historyDays: 7 });
    await rig.put("/api/sessions/s1/settings", { historyDays: "many" });
    await rig.call("DELETE", "/api/sessions/s1");
    // By its name: both keys are of the same moment, and their order among each other is chance.
    const operator = (await rig.store.keys.list()).find(({ name }) => name === "tests");
    expect(
      (await rows(rig)).map(({ actor, action, target, outcome, details }) => [
        actor === operator?.id,
        action,
        target,
        outcome,
        { ...details, requestId: typeof details["requestId"] },
      ]),
    ).toEqual([
      [
        true,
        "POST /api/sessions",
        "s1",
        "done",
        { requestId: "string", fields: ["sessionId", "sessionName"] },
      ],
      [
        true,
        "POST /api/keys",
        data["id"],
        "done",
        { requestId: "string", fields: ["name", "scopes", "sessions"], scopes: ["read"], sessions: ["s1"] },
      ],
      [true, "PUT /api/keys/{keyId}", data["id"], "done", { requestId: "string", fields: ["name"] }],
      [
        true,
        "PUT /api/sessions/{sessionId}/settings",
        "s1",
        "done",
        { requestId: "string", fields: ["historyDays"], historyDays: 7 },
      ],
      [
        true,
        "PUT /api/sessions/{sessionId}/settings",
        "s1",
        "refused",
        { requestId: "string", fields: ["historyDays"], code: "VALIDATION_ERROR" },
      ],
      [true, "DELETE /api/sessions/{sessionId}", "s1", "done", { requestId: "string" }],
    ]);
    expect(await rig.store.audit.verify()).toMatchObject({ intact: true, rows: 6 });
  });

  test("leaves a row on every such route of the table, and a read leaves none", async () => {
    expect(orders.length).toBeGreaterThan(20);
    const rig = await openHttpRig();
    await rig.session("s1");
    for (const route of orders) {
      const before = (await rows(rig)).length;
      rig.clock.advance(minutes(2)); // what is refused twice is written once a minute
      const path = route.path.replace(/\{(\w+)\}/g, (_all, name: string) =>
        name === "sessionId" ? "s1" : "x",
      );
      await rig.call(route.method.toUpperCase(), path, { body: {} });
      const left = (await rows(rig)).slice(before);
      expect(left.map(({ action }) => action)).toEqual([`${route.method.toUpperCase()} ${route.path}`]);
    }
    const before = (await rows(rig)).length;
    await rig.get("/api/sessions");
    await rig.get("/api/audit");
    expect(await rows(rig)).toHaveLength(before);
  });

  test("repeated under its Idempotency-Key is told as a repeat", async () => {
    const rig = await openHttpRig();
    const headers = { "Idempotency-Key": "once" };
    await rig.post("/api/keys", { name: "CRM", scopes: ["read"], sessions: "*" }, { headers });
    await rig.post("/api/keys", { name: "CRM", scopes: ["read"], sessions: "*" }, { headers });
    expect((await rows(rig)).map(({ outcome }) => outcome)).toEqual(["done", "repeated"]);
  });

  test("about a session is told in its timeline, before what it caused", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await rig.post("/api/sessions/s1/disconnect", {});
    const { data } = await rig.get("/api/sessions/s1/timeline");
    expect(listIn(data, "entries").slice(0, 2)).toMatchObject([
      { type: "stopped", reason: "stopped" },
      { type: "order", text: 'disconnect, by the key "tests"', reason: null },
    ]);
  });

  test("that a kill breaks off is entered at the next start, once, and as what it is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hub-audit-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "hub.db");
    let letGo = (): void => undefined;
    const held = new Promise<never>((_resolve, reject) => {
      letGo = () => reject(new HubError("SHUTTING_DOWN", "The test is over."));
    });
    let isUnderWay = false;
    const rig = await openHttpRig({
      file,
      change: (ctx) => ({
        ...ctx,
        sessions: {
          ...ctx.sessions,
          disconnect: () => {
            isUnderWay = true;
            return held;
          },
        },
      }),
    });
    await rig.session("s1");
    const order = rig.post("/api/sessions/s1/disconnect", {});
    await until("the order is under way", () => isUnderWay);

    const next = await openHttpRig({ file });
    const found = await rows(next);
    expect(found).toMatchObject([
      {
        action: "POST /api/sessions/{sessionId}/disconnect",
        target: "s1",
        outcome: "failed",
        details: { code: "BROKEN_OFF" },
      },
    ]);
    // Killed after an act that took its row along, before that was noted.
    const entry = {
      ...doneBy("operator", "POST /api/keys", next.clock.now()),
      details: { requestId: "req_1" },
    };
    await next.store.audit.begin({ ...entry, outcome: "failed" });
    await next.store.audit.append(entry);
    const last = await openHttpRig({ file });
    expect((await rows(last)).map(({ outcome }) => outcome)).toEqual(["failed", "done"]);
    expect(await last.store.audit.verify()).toMatchObject({ intact: true, rows: 2 });
    letGo();
    await order;
  });

  test("counts although its row cannot be written; the log of the process has it", async () => {
    const full = () => Promise.reject(new HubError("STORE_UNAVAILABLE", "full"));
    const rig = await openHttpRig({
      change: (ctx, store) => ({
        ...ctx,
        store: {
          ...store,
          audit: { ...store.audit, begin: full, append: full, end: full },
        },
      }),
    });
    expect((await rig.post("/api/sessions", { sessionId: "s1" })).status).toBe(201);
    expect(rig.logged()).toMatch(/"action":"POST \/api\/sessions".*audit\.not_written/);
  });

  test("with secrets in it leaves none of them, nor what people are called", async () => {
    const rig = await openHttpRig();
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    await rig.post("/api/sessions", {
      sessionId: "s1",
      webhookUrl: "http://127.0.0.1:9/h",
      webhookSecret: secret,
    });
    const headers = { Authorization: "Bearer very-secret" };
    const made = await rig.post("/api/endpoints", {
      url: "http://127.0.0.1:9/x?token=t0ken",
      headers,
      secret,
    });
    await rig.post(`/api/endpoints/${String(made.data["id"])}/rotate-secret`, {});
    await rig.post("/api/sessions/s1/pairing-code", { phoneNumber: "34600111222" });
    await rig.get("/api/contacts/s1/search/34600111222", { key: `ihk_${"x".repeat(52)}` });
    await rig.post("/api/keys", { name: "x", "34600111222": 1, scopes: ["Ana"], sessions: "*" });
    const all = JSON.stringify(await rows(rig));
    expect(await rows(rig)).toHaveLength(6);
    for (const word of [secret, "very-secret", "t0ken", "34600111222", "Ana", "127.0.0.1", rig.key])
      expect(all).not.toContain(word);
  });
});

describe("a refusal", () => {
  test("for want of a key or a scope is written, also for reading; the same one once a minute", async () => {
    const rig = await openHttpRig();
    const small = await rig.makeKey({ scopes: ["send"] });
    for (let n = 0; n < 5; n++) {
      await rig.get("/api/sessions", { key: null });
      await rig.get("/api/sessions", { key: small });
    }
    rig.clock.advance(minutes(1));
    await rig.get("/api/sessions", { key: null });
    expect(
      (await rows(rig)).map(({ actor, outcome, details }) => [actor.slice(0, 4), outcome, details]),
    ).toMatchObject([
      ["nobo", "refused", { code: "MISSING_API_KEY" }],
      ["key_", "refused", { code: "AUTHORIZATION_FAILED" }],
      ["nobo", "refused", { code: "MISSING_API_KEY", leftOut: 8 }],
    ]);
  });

  test("of all kinds at once fills no disk", async () => {
    const rig = await openHttpRig();
    for (const { method, path } of allRoutes)
      for (const key of [null, "wrong"])
        await rig.call(method.toUpperCase(), path, { key, headers: { "X-Forwarded-For": "203.0.113.9" } });
    expect((await rows(rig)).length).toBe(60);
  });
});

describe("GET /api/audit", () => {
  test("shows the rows a page at a time, newest first", async () => {
    const rig = await openHttpRig();
    for (const sessionId of ["a", "b", "c"]) await rig.post("/api/sessions", { sessionId });
    const first = await rig.get("/api/audit?limit=2");
    const entries = listIn(first.data, "entries");
    expect(entries.map(({ n, target }) => [n, target])).toEqual([
      [3, "c"],
      [2, "b"],
    ]);
    for (const entry of entries) isExactly(auditEntrySchema, entry);
    expect(first.data).toMatchObject({ total: 3, pagination: { pages: 2 } });
  });

  test("is for keys with admin of all sessions", async () => {
    const rig = await openHttpRig();
    const key = await rig.makeKey({ sessions: ["s1"] });
    expect((await rig.get("/api/audit", { key })).json["code"]).toBe("AUTHORIZATION_FAILED");
    expect((await rig.get("/api/audit", { key: await rig.makeKey({ scopes: ["read"] }) })).status).toBe(403);
  });
});
