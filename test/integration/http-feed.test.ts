/** The feed of events, health, and what the API says of itself. */
import { describe, expect, test } from "vitest";
import { eventSchema } from "../../hub/contract/events.ts";
import { aMessageFact } from "../support/builders.ts";
import { listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

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

  test("reads what is there once, however often something comes that who waits did not ask for", async () => {
    const read: number[] = [];
    const rig = await openHttpRig({
      change: (ctx, store) => {
        const after: typeof store.events.after = (query) => {
          read.push(query.after);
          return store.events.after(query);
        };
        return { ...ctx, store: { ...store, events: { ...store.events, after } } };
      },
    });
    await rig.session("s1");
    for (let n = 0; n < 20; n += 1) await rig.tell("s1", aMessageFact({ id: `3A${n}` }));
    const { latestSeq } = await rig.store.events.range();
    const waiting = rig.get("/api/events?after=0&wait=20&types=bot.status");
    await until("it waits", () => read.length > 0);
    await rig.tell("s1", aMessageFact({ id: "3B1" }));
    await until("it looked again", () => read.length > 1);
    await rig.tell("s1", aMessageFact({ id: "3B2" }));
    await rig.put("/api/sessions/s1/settings", { bot: { enabled: true } });
    const { data } = await waiting;
    expect(listIn(data, "events").map(({ event }) => event)).toEqual(["bot.status"]);
    expect(read[0]).toBe(0);
    expect(Math.min(...read.slice(1))).toBeGreaterThanOrEqual(latestSeq);
  });

  test("ends for who waits within a second of the end of his key, and hides what he may no longer see", async () => {
    let waits = 0;
    const rig = await openHttpRig({
      change: (ctx) => ({
        ...ctx,
        nudge: { ...ctx.nudge, onRing: (listener) => (waits++, ctx.nudge.onRing(listener)) },
      }),
    });
    await rig.session("s1");
    const { data: made } = await rig.post("/api/keys", { name: "x", scopes: ["read"], sessions: "*" });
    const { data } = await rig.get("/api/events?after=latest");
    const waitFor = (key: unknown) =>
      rig.get(`/api/events?after=${String(data["nextAfter"])}&wait=25`, { key: String(key) });
    const waiting = waitFor(made["key"]);
    await until("it waits", () => waits === 1);
    const revokedAt = performance.now();
    await rig.call("DELETE", `/api/keys/${String(made["id"])}`);
    const ended = await waiting;
    expect([ended.status, ended.json["code"]]).toEqual([401, "INVALID_API_KEY"]);
    expect(performance.now() - revokedAt).toBeLessThan(1_500);

    const narrowed = await rig.post("/api/keys", { name: "y", scopes: ["read"], sessions: "*" });
    const before = waits;
    const other = waitFor(narrowed.data["key"]);
    await until("the other one waits", () => waits > before);
    await rig.put(`/api/keys/${String(narrowed.data["id"])}`, { sessions: ["mine"] });
    await rig.tell("s1", aMessageFact({ id: "3A7" }));
    await rig.session("mine", { phoneNumber: "34600777666" });
    const seen = listIn((await other).data, "events").map(({ sessionId }) => sessionId);
    expect([...new Set(seen)]).toEqual(["mine"]);
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
      {
        ready: true,
        checks: { store: true, disk: true, files: true, sessions: true, outbox: true, load: true },
      },
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
