/** Keys, endpoints, deliveries and the feed: what those who run the hub do with it. */
import { describe, expect, test } from "vitest";
import { defaultKeySettings } from "../../hub/core/api-key.ts";
import { ensureFirstKey } from "../../hub/http/api-keys.ts";
import { endpointSchema, keySchema } from "../../hub/contract/administration.ts";
import { eventSchema } from "../../hub/contract/resources.ts";
import { aMessageFact, T0 } from "../support/builders.ts";
import { fixedClock, minutes } from "../support/fixed-clock.ts";
import { listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";

const hook = "http://127.0.0.1:9/hook";
const { schema: keyShape, endpoint: endpointShape } = {
  schema: keySchema.strict(),
  endpoint: endpointSchema.strict(),
};

describe("keys", () => {
  test("are shown once, kept as a hash, and stop at once when they are revoked", async () => {
    const rig = await openHttpRig();
    const made = await rig.post("/api/keys", { name: "CRM", scopes: ["read"], sessions: "*" });
    expect([made.status, made.headers.get("cache-control")]).toEqual([201, "no-store"]);
    const { key, ...row } = made.data;
    expect(String(key)).toMatch(/^ihk_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}$/);
    expect(keyShape.safeParse(row).error?.issues ?? []).toEqual([]);
    const listed = await rig.get("/api/keys");
    expect(listed.text).not.toContain(String(key));
    expect(listed.text).not.toMatch(/hash/);
    expect((await rig.get("/api/sessions", { key: String(key) })).status).toBe(200);
    expect((await rig.call("DELETE", `/api/keys/${String(row["id"])}`)).data).toEqual({ deleted: true });
    expect((await rig.get("/api/sessions", { key: String(key) })).json["code"]).toBe("INVALID_API_KEY");
    expect((await rig.call("DELETE", `/api/keys/${String(row["id"])}`)).status).toBe(404);
    expect(rig.logged()).not.toContain(String(key));
  });

  test("are renewed with a time of grace for the old one", async () => {
    const rig = await openHttpRig();
    const { data } = await rig.post("/api/keys", { name: "CRM", scopes: ["read"], sessions: "*" });
    const old = String(data["key"]);
    const renewed = await rig.post(`/api/keys/${String(data["id"])}/rotate`, { graceSeconds: 600 });
    const fresh = String(renewed.data["key"]);
    expect([renewed.data["id"], fresh === old]).toEqual([data["id"], false]);
    expect((await rig.get("/api/sessions", { key: old })).status).toBe(200);
    expect((await rig.get("/api/sessions", { key: fresh })).status).toBe(200);
    rig.clock.advance(minutes(11));
    expect((await rig.get("/api/sessions", { key: old })).status).toBe(401);
    expect((await rig.get("/api/sessions", { key: fresh })).status).toBe(200);
  });

  test("end by themselves, and are changed in part", async () => {
    const rig = await openHttpRig();
    const expiresAt = new Date(T0.getTime() + minutes(5)).toISOString();
    const { data } = await rig.post("/api/keys", {
      name: "x",
      scopes: ["read"],
      sessions: ["s1"],
      expiresAt,
    });
    const key = String(data["key"]);
    const changed = await rig.put(`/api/keys/${String(data["id"])}`, {
      settings: { sendPerMinute: 5 },
      client: "crm",
    });
    expect(changed.data).toMatchObject({
      client: "crm",
      sessions: ["s1"],
      settings: { ...defaultKeySettings, sendPerMinute: 5 },
    });
    rig.clock.advance(minutes(6));
    expect((await rig.get("/api/sessions", { key })).status).toBe(401);
  });

  test("cannot make, change or see a key that may do more than they may", async () => {
    const rig = await openHttpRig();
    const small = await rig.makeKey({ scopes: ["admin", "read"], sessions: ["s1"] });
    const more = [
      { name: "x", scopes: ["send"], sessions: ["s1"] },
      { name: "x", scopes: ["read"], sessions: "*" },
      { name: "x", scopes: ["read"], sessions: ["s2"] },
    ];
    for (const body of more)
      expect((await rig.post("/api/keys", body, { key: small })).json["code"]).toBe("AUTHORIZATION_FAILED");
    const all = listIn((await rig.get("/api/keys")).data, "keys");
    expect(all).toHaveLength(2);
    const seen = listIn((await rig.get("/api/keys", { key: small })).data, "keys");
    expect(seen).toHaveLength(1);
    const big = all.find(({ id }) => id !== seen[0]?.["id"]);
    expect((await rig.call("DELETE", `/api/keys/${String(big?.["id"])}`, { key: small })).status).toBe(404);
    const up = await rig.put(
      `/api/keys/${String(seen[0]?.["id"])}`,
      { scopes: ["admin", "read", "send"] },
      { key: small },
    );
    expect(up.status).toBe(403);
  });

  test("unknown fields and prototype tricks are refused by name, and change nothing", async () => {
    const rig = await openHttpRig();
    for (const body of [
      '{"name":"x","scopes":["read"],"sessions":"*","role":"admin"}',
      '{"__proto__":{"admin":true},"name":"x","scopes":["read"],"sessions":"*"}',
      '{"constructor":{"prototype":{"x":1}},"name":"x","scopes":["read"],"sessions":"*"}',
    ]) {
      const answer = await rig.call("POST", "/api/keys", { body });
      expect([answer.status, recordOf(answer.json["details"])["fields"]]).toMatchObject([
        400,
        [{ problem: "unknown field" }],
      ]);
    }
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
    expect(await rig.store.keys.list()).toHaveLength(1);
  });
});

describe("the first key", () => {
  test("is the operator's, as given, and a new one replaces it", async () => {
    const clock = fixedClock();
    const { keys, ...store } = await openSqliteStore({ file: ":memory:", publicUrl: "", clock });
    const given = "operator-key-of-at-least-32-characters";
    expect(await ensureFirstKey({ keys, given, clock })).toBeNull();
    expect(await ensureFirstKey({ keys, given, clock })).toBeNull();
    expect(await keys.list()).toHaveLength(1);
    await ensureFirstKey({ keys, given: `${given}-2`, clock });
    const [only, ...others] = await keys.list();
    expect([only?.scopes.length, only?.sessions, others]).toEqual([5, "*", []]);
    expect(JSON.stringify(only)).not.toContain(given);
    await store.close();
  });

  test("is made when nobody gave one, and only once", async () => {
    const clock = fixedClock();
    const { keys, ...store } = await openSqliteStore({ file: ":memory:", publicUrl: "", clock });
    expect(await ensureFirstKey({ keys, given: null, clock })).toMatch(/^ihk_/);
    expect(await ensureFirstKey({ keys, given: null, clock })).toBeNull();
    await store.close();
  });
});

describe("endpoints", () => {
  test("are made with a secret that is shown once, and never show header values", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const made = await rig.post("/api/endpoints", {
      url: hook,
      sessions: ["s1"],
      headers: { "X-Tenant": "top-secret" },
    });
    const { secret, ...endpoint } = made.data;
    expect([made.status, String(secret).startsWith("whsec_")]).toEqual([201, true]);
    expect(endpointShape.safeParse(endpoint).error?.issues ?? []).toEqual([]);
    expect(endpoint).toMatchObject({
      url: hook,
      sessions: ["s1"],
      headers: ["X-Tenant"],
      state: "active",
      client: "tests",
    });
    const shown = await rig.get(`/api/endpoints/${String(endpoint["id"])}`);
    expect(shown.text).not.toMatch(/top-secret|whsec_/);
    expect(listIn((await rig.get("/api/endpoints?sessionId=s1")).data, "endpoints")).toHaveLength(1);
    expect(listIn((await rig.get("/api/endpoints?sessionId=s2")).data, "endpoints")).toHaveLength(0);

    const id = String(endpoint["id"]);
    expect((await rig.post(`/api/endpoints/${id}/pause`)).data["state"]).toBe("paused");
    expect((await rig.post(`/api/endpoints/${id}/resume`)).data["state"]).toBe("active");
    expect((await rig.put(`/api/endpoints/${id}`, { description: "CRM", ack: "status" })).data).toMatchObject(
      { description: "CRM", ack: "status" },
    );
    const rotated = await rig.post(`/api/endpoints/${id}/rotate-secret`, { secret: "my-own-secret-of-16" });
    expect(rotated.data["secret"]).toBe("my-own-secret-of-16");
    expect((await rig.call("DELETE", `/api/endpoints/${id}`)).data).toEqual({ deleted: true, dismissed: 0 });
    expect((await rig.get(`/api/endpoints/${id}`)).status).toBe(404);
  });

  test("refuse URLs that must not be called, unknown sessions, events and fields, each by name", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    for (const [body, path] of [
      [{ url: "http://169.254.169.254/latest" }, "url"],
      [{ url: "ftp://crm.example/" }, "url"],
      [{ url: "https://user:pass@crm.example/" }, "url"],
      [{ url: hook, sessions: ["nobody"] }, "sessions.0"],
      [{ url: hook, events: ["message.unknown"] }, "events.0"],
      [{ url: hook, headers: { "webhook-id": "x" } }, "headers.webhook-id"],
      [{ url: hook, headers: { "X-A": "a\r\nX-B: b" } }, "headers.X-A"],
      [{ url: hook, secret: "short" }, "secret"],
      [{ url: hook, timeoutMs: 1 }, "timeoutMs"],
      [{ url: hook, managedBy: "default" }, "managedBy"],
    ] as const) {
      const answer = await rig.post("/api/endpoints", body);
      expect([path, answer.status, recordOf(answer.json["details"])["fields"]]).toMatchObject([
        path,
        400,
        [{ path }],
      ]);
    }
    expect(listIn((await rig.get("/api/endpoints")).data, "endpoints")).toEqual([]);
  });

  test("of other sessions do not exist for a key, and cannot be widened by it", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await rig.session("mine", { phoneNumber: "34600777666" });
    const limited = await rig.makeKey({ sessions: ["mine"] });
    const wide = String((await rig.post("/api/endpoints", { url: hook })).data["id"]);
    const unknown = await rig.get(`/api/endpoints/ep_${"Z".repeat(26)}`, { key: limited });
    const foreign = await rig.get(`/api/endpoints/${wide}`, { key: limited });
    expect([foreign.status, foreign.json["error"]]).toEqual([404, unknown.json["error"]]);
    expect((await rig.post("/api/endpoints", { url: hook, sessions: "*" }, { key: limited })).status).toBe(
      403,
    );
    expect((await rig.post("/api/endpoints", { url: hook, sessions: ["s1"] }, { key: limited })).status).toBe(
      400,
    );
    const own = await rig.post("/api/endpoints", { url: hook }, { key: limited });
    expect([own.status, own.data["sessions"]]).toEqual([201, ["mine"]]);
    expect(
      (await rig.put(`/api/endpoints/${String(own.data["id"])}`, { sessions: "*" }, { key: limited })).status,
    ).toBe(403);
  });

  test("a session has one webhook of its own: set, changed, removed", async () => {
    const rig = await openHttpRig();
    const made = await rig.post("/api/sessions", {
      sessionId: "s1",
      webhookUrl: hook,
      webhookSecret: "my-own-secret-of-16",
    });
    expect(made.status).toBe(201);
    const set = await rig.put("/api/sessions/s1/webhook", { webhookUrl: `${hook}2` });
    expect(set.data).toMatchObject({ webhookUrl: `${hook}2` });
    expect(set.data).not.toHaveProperty("webhookSecret");
    const [endpoint] = listIn((await rig.get("/api/sessions/s1")).data, "endpoints");
    expect(endpoint).toMatchObject({
      managedBy: "session",
      ordering: "session",
      ack: "body",
      client: "tests",
    });
    expect((await rig.put("/api/sessions/s1/webhook", { webhookUrl: "" })).data).toEqual({
      endpointId: null,
      webhookUrl: "",
    });
    const fresh = await rig.put("/api/sessions/s1/webhook", { webhookUrl: hook });
    expect(String(fresh.data["webhookSecret"])).toMatch(/^whsec_/);
  });
});

describe("deliveries", () => {
  test("are listed, shown with their bytes, and their signatures stay masked", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { data } = await rig.post("/api/endpoints", {
      url: hook,
      events: ["message.received"],
      headers: { "X-Tenant": "top-secret" },
    });
    await rig.tell("s1", aMessageFact({ id: "3A1" }));
    const list = await rig.get(
      `/api/deliveries?endpointId=${String(data["id"])}&sessionId=s1&chatId=34600111222&state=pending`,
    );
    const [delivery] = listIn(list.data, "deliveries");
    expect(delivery).toMatchObject({
      event: "message.received",
      state: "pending",
      chatId: "34600111222@c.us",
      attempts: 0,
    });
    const shown = await rig.get(`/api/deliveries/${String(delivery?.["id"])}`);
    expect(JSON.parse(String(shown.data["body"]))).toMatchObject({
      event: "message.received",
      seq: delivery?.["seq"],
    });
    expect(recordOf(shown.data["headers"])).toMatchObject({
      "webhook-id": delivery?.["eventId"],
      "webhook-signature": "[masked]",
      "X-Tenant": "[masked]",
    });
    expect(shown.text).not.toContain("top-secret");
    expect((await rig.get("/api/deliveries/stats")).data).toMatchObject({ pending: 1, dead: 0 });
    expect((await rig.get("/api/deliveries?chatId=34600111222")).status).toBe(400);
    expect((await rig.get(`/api/deliveries/dlv_${"Z".repeat(26)}`)).status).toBe(404);

    const limited = await rig.makeKey({ sessions: ["mine"] });
    expect((await rig.get(`/api/deliveries/${String(delivery?.["id"])}`, { key: limited })).status).toBe(404);
    expect(listIn((await rig.get("/api/deliveries", { key: limited })).data, "deliveries")).toEqual([]);
  });

  test("are dismissed and replayed one by one or by a filter, never all by an empty body", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { data } = await rig.post("/api/endpoints", { url: hook, events: ["message.received"] });
    const endpointId = String(data["id"]);
    await rig.tell("s1", aMessageFact({ id: "3A1" }), aMessageFact({ id: "3A2" }));
    for (const order of ["replay", "dismiss"])
      expect((await rig.post(`/api/deliveries/${order}`, {})).json["code"]).toBe("VALIDATION_ERROR");
    const [first] = listIn((await rig.get("/api/deliveries")).data, "deliveries");
    const dismissed = await rig.post(`/api/deliveries/${String(first?.["id"])}/dismiss`, { reason: "test" });
    expect([dismissed.status, dismissed.data]).toEqual([200, { dismissed: 1 }]);
    expect((await rig.post("/api/deliveries/dismiss", { endpointId })).data).toEqual({ dismissed: 1 });
    const dry = await rig.post("/api/deliveries/replay", { endpointId, state: "dismissed", dryRun: true });
    expect(dry.data).toMatchObject({ matched: 2, job: null });
    const again = await rig.post(`/api/deliveries/${String(first?.["id"])}/replay`, {});
    expect([again.status, again.data["state"]]).toEqual([200, "pending"]);
  });
});

describe("the feed", () => {
  test("gives everything in order from the oldest, the same bodies, and where to go on", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await rig.tell("s1", aMessageFact({ id: "3A1" }), aMessageFact({ id: "3A2" }));
    const first = await rig.get("/api/events?after=0&limit=2");
    const events = listIn(first.data, "events");
    for (const event of events) expect(eventSchema.safeParse(event).error?.issues ?? []).toEqual([]);
    expect(first.data["hasMore"]).toBe(true);
    const rest = await rig.get(`/api/events?after=${String(first.data["nextAfter"])}&limit=1000`);
    const seqs = [...events, ...listIn(rest.data, "events")].map(({ seq }) => Number(seq));
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(rest.data).toMatchObject({ hasMore: false, nextAfter: rest.data["latestSeq"] });
    const position = await rig.get("/api/events?after=latest");
    expect(position.data).toMatchObject({ events: [], nextAfter: rest.data["latestSeq"] });
    const one = await rig.get(`/api/events/${String(events[0]?.["id"])}`);
    expect(one.data).toEqual(events[0]);
    const some = await rig.get("/api/events?types=message.received&sessionId=s1");
    expect(new Set(listIn(some.data, "events").map(({ event }) => event))).toEqual(
      new Set(["message.received"]),
    );
    for (const query of ["after=-1", "after=x", "types=nothing.known", "names=realtime", "unknown=1"])
      expect([query, (await rig.get(`/api/events?${query}`)).status]).toEqual([query, 400]);
  });

  test("hides other sessions, and waits for news", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await rig.session("mine", { phoneNumber: "34600777666" });
    const limited = await rig.makeKey({ sessions: ["mine"] });
    const seen = listIn((await rig.get("/api/events", { key: limited })).data, "events");
    expect(new Set(seen.map(({ sessionId }) => sessionId))).toEqual(new Set(["mine"]));
    const { data } = await rig.get("/api/events?after=latest");
    const waiting = rig.get(`/api/events?after=${String(data["nextAfter"])}&wait=20&types=message.received`);
    await rig.tell("s1", aMessageFact({ id: "3A9" }));
    const news = await waiting;
    expect(listIn(news.data, "events")).toHaveLength(1);
  });
});

describe("health", () => {
  test("is flat and open; readiness and the description need a key from afar", async () => {
    const rig = await openHttpRig();
    const health = await rig.get("/health", { key: null });
    expect(health.json).toMatchObject({
      success: true,
      status: "ok",
      sessions: 0,
      connected: false,
      environment: "test",
    });
    await rig.session("s1");
    expect((await rig.get("/health", { key: null })).json).toMatchObject({ sessions: 1, connected: true });
    expect((await rig.get("/livez", { key: null })).json).toEqual({ success: true });
    const ready = await rig.get("/readyz", { key: null });
    expect([ready.status, ready.json]).toEqual([
      200,
      { ready: true, checks: { store: true, disk: true, sessions: true, outbox: true } },
    ]);
    const afar = { key: null, headers: { "X-Forwarded-For": "203.0.113.9" } };
    for (const path of ["/readyz", "/openapi.json", "/docs"]) {
      expect([path, (await rig.get(path, afar)).status]).toEqual([path, 401]);
      expect([path, (await rig.get(path, { headers: afar.headers })).status]).toEqual([path, 200]);
    }
    const docs = await rig.get("/docs");
    expect(docs.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(recordOf((await rig.get("/openapi.json")).json)["openapi"]).toBe("3.1.0");
  });

  test("self-tests for installers need no key and keep nothing", async () => {
    const rig = await openHttpRig();
    expect((await rig.get("/api/webhooks/test/connectivity", { key: null })).json).toEqual({ success: true });
    const body =
      '{"type":"message.received","timestamp":"2025-10-09T08:53:20Z","data":{"text":"Ça va 😀","n":1}}';
    const secret = "legacy-secret-Ünïcode";
    const signed = await rig.post("/api/webhooks/test/signature", { secret, body }, { key: null });
    expect(signed.data["signature"]).toBe(
      "sha256=82a422df708291e58f817aca22bf2454966d0b287f61943692f3aa865d2f82fc",
    );
    expect(rig.logged()).not.toContain("legacy-secret");
  });
});
