/** The bridge's endpoint at the real hub, after what people and restored hubs do to it. */
import { describe, expect, onTestFinished, test } from "vitest";
import { createHubClient } from "../../bridge/hub-client-http.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import { createSubscription } from "../../bridge/subscription.ts";
import { secretFingerprint } from "../../hub/contract/index.ts";
import { hours } from "../support/fixed-clock.ts";
import { listIn, openHttpRig, type HttpRig } from "../support/http-rig.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

const URL_OF_BRIDGE = "http://127.0.0.1:9/webhook";
const SECRET = "s".repeat(32);

async function opened() {
  const rig = await openHttpRig();
  const log = logBook();
  const hub = createHubClient({ url: rig.url, apiKey: rig.key, userAgent: "InboxBridge/test", log });
  onTestFinished(() => hub.close());
  return { rig, log, hub };
}

async function subscribed() {
  const { rig, log, hub } = await opened();
  const state = createMemoryState();
  const subscription = createSubscription({
    hub,
    ...{ url: URL_OF_BRIDGE, secrets: [SECRET] },
    state,
    clock: rig.clock,
    log,
  });
  onTestFinished(() => subscription.stop());
  const endpoint = async () => listIn((await rig.get("/api/endpoints")).data, "endpoints")[0];
  const path = async () => `/api/endpoints/${String((await endpoint())?.["id"])}`;
  const outcomes = () => log.lines("subscription.ready").map(({ facts }) => facts["outcome"]);
  subscription.start();
  await until("the bridge has its place", () => outcomes().length === 1);
  return { rig, hub, state, log, subscription, endpoint, path, outcomes };
}

const WHOLE = { url: URL_OF_BRIDGE, enabled: true, events: ["*"] };

test("it is made anew where it was deleted, and set right where it was disabled or given other events", async () => {
  const { rig, subscription, endpoint, path, outcomes } = await subscribed();
  const harm = [
    async () => rig.call("DELETE", await path()),
    async () => rig.put(await path(), { enabled: false }),
    async () => rig.put(await path(), { events: ["message.received"] }),
  ];
  for (const [n, work] of harm.entries()) {
    expect((await work()).status).toBe(200);
    subscription.renew();
    await until("it is made good", () => outcomes().length === n + 2);
    expect(await endpoint()).toMatchObject(WHOLE);
  }
  expect(outcomes()).toEqual(["created", "created", "updated", "updated"]);
});

test("it is left alone where a person paused it, with a word that it is", async () => {
  const { rig, hub, endpoint, path } = await subscribed();
  await rig.post(`${await path()}/pause`);
  expect(await hub.subscribe({ url: URL_OF_BRIDGE, secrets: [SECRET], known: null })).toMatchObject({
    done: [],
    advice: [expect.stringMatching(/paused.*resume/)],
    isPaused: true,
  });
  expect(await endpoint()).toMatchObject({ ...WHOLE, state: "paused" });
});

describe("its secret", () => {
  const NEW = "n".repeat(32);

  test("of two that the bridge takes is the first, though the hub signs with the second", async () => {
    const { rig, hub, endpoint } = await subscribed();
    const place = { url: URL_OF_BRIDGE, secrets: [NEW, SECRET], known: null };
    expect((await hub.subscribe(place)).done).toEqual(["secret rotated"]);
    const shown = await endpoint();
    const id = String(shown?.["id"]);
    expect(shown?.["secretFingerprints"]).toEqual([NEW, SECRET].map((one) => secretFingerprint(id, one)));
    expect((await hub.subscribe(place)).done).toEqual([]);
    rig.clock.advance(hours(25));
    expect((await endpoint())?.["secretFingerprints"]).toEqual([secretFingerprint(id, NEW)]);
  });

  test("replaced at the hub is left there while the one before is valid, with a word on what to do; then put back", async () => {
    const { rig, hub, subscription, path, outcomes, log } = await subscribed();
    await rig.post(`${await path()}/rotate-secret`, { secret: NEW });
    const advice = () => log.lines("subscription.advice");
    subscription.renew();
    await until("a person is told", () => advice().length > 0);
    const place = { url: URL_OF_BRIDGE, secrets: [SECRET], known: null };
    expect(await hub.subscribe(place)).toMatchObject({ done: [], advice: [advice()[0]?.facts["advice"]] });
    expect(advice()[0]?.facts["advice"]).toMatch(/BRIDGE_WEBHOOK_SECRET/);
    expect((await hub.subscribe({ ...place, secrets: [NEW] })).done).toEqual([]);
    rig.clock.advance(hours(25));
    subscription.renew();
    await until("the bridge's own is back", () => outcomes().length === 2);
    expect(outcomes()).toEqual(["created", "secret rotated"]);
    expect(log.text()).not.toMatch(/s{32}|n{32}/);
  });

  test("is the hub's own affair where the hub's configuration names the bridge", async () => {
    const { rig, hub } = await opened();
    await rig.ctx.endpoints.ensureDefault({ url: URL_OF_BRIDGE, secret: NEW });
    const place = { url: URL_OF_BRIDGE, secrets: [SECRET], known: null };
    const { done, advice } = await hub.subscribe(place);
    expect(done).toEqual(["updated"]); // its events
    expect(advice).toEqual([expect.stringMatching(/HUB_WEBHOOK_SECRET/)]);
    expect(await hub.subscribe({ ...place, secrets: [NEW] })).toMatchObject({ done: [], advice: [] });
  });
});

test("the endpoint of the hub's own configuration is not moved: the hub would take it back", async () => {
  const { rig, hub } = await opened();
  await rig.ctx.endpoints.ensureDefault({ url: URL_OF_BRIDGE, secret: SECRET });
  const { endpointId } = await hub.subscribe({ url: URL_OF_BRIDGE, secrets: [SECRET], known: null });
  const known = { id: endpointId, urls: [URL_OF_BRIDGE] };
  const { done, advice } = await hub.subscribe({
    ...{ url: "http://127.0.0.1:10/webhook", secrets: [SECRET] },
    known,
  });
  expect(done).toEqual(["created"]);
  expect(advice).toEqual([expect.stringMatching(/HUB_WEBHOOK_URL/)]);
});

// Regression: the hub took it out of use at each of its starts, and nothing was pushed until the bridge looked again.
test("what a HUB_WEBHOOK_URL that was taken out leaves at the hub is none of the bridge's", async () => {
  const { rig, hub } = await opened();
  const configured = await rig.ctx.endpoints.ensureDefault({ url: URL_OF_BRIDGE, secret: SECRET });
  const id = configured?.id ?? expect.fail("the hub has none");
  await rig.ctx.endpoints.ensureDefault(null);
  const known = { id, urls: [URL_OF_BRIDGE] };
  const made = await hub.subscribe({ url: URL_OF_BRIDGE, secrets: [SECRET], known });
  expect(made).toMatchObject({ done: ["created"], advice: [], isSettled: true });
  expect(made.endpointId).not.toBe(id);
  await rig.ctx.endpoints.ensureDefault(null);
  const again = await hub.subscribe({ url: URL_OF_BRIDGE, secrets: [SECRET], known: null });
  expect(again).toMatchObject({ endpointId: made.endpointId, done: [], advice: [] });
});

test("one that somebody made at its address for some sessions is taken as it is, with a word that it hears only those", async () => {
  const { rig, hub } = await opened();
  await rig.session("s1");
  const made = await rig.post("/api/endpoints", { url: URL_OF_BRIDGE, sessions: ["s1"], secret: SECRET });
  const id = String(made.data["id"]);
  const place = { url: URL_OF_BRIDGE, secrets: [SECRET], known: null };
  const hears = [expect.stringMatching(new RegExp(`${id}.*only some sessions`))];
  expect(await hub.subscribe(place)).toMatchObject({ endpointId: id, advice: hears });
  expect(await hub.subscribe({ ...place, known: { id, urls: [URL_OF_BRIDGE] } })).toMatchObject({
    advice: hears,
  });
  await rig.put(`/api/endpoints/${id}`, { sessions: "*" });
  expect((await hub.subscribe(place)).advice).toEqual([]);
});

test("one that the bridge made with a key for some sessions hears those, and that is no matter for a word", async () => {
  const { rig } = await opened();
  await rig.session("s1");
  const made = await rig.post("/api/keys", { name: "b", scopes: ["read", "webhooks"], sessions: ["s1"] });
  const apiKey = String(made.data["key"]);
  const hub = createHubClient({ url: rig.url, apiKey, userAgent: "InboxBridge/test", log: logBook() });
  onTestFinished(() => hub.close());
  const place = { url: URL_OF_BRIDGE, secrets: [SECRET], known: null };
  expect((await hub.subscribe(place)).done).toEqual(["created"]);
  expect(await hub.subscribe(place)).toMatchObject({ done: [], advice: [] });
});

describe("another address", () => {
  const ELSEWHERE = "http://127.0.0.1:10/webhook";
  const all = async (rig: HttpRig) => listIn((await rig.get("/api/endpoints")).data, "endpoints");

  test("that somebody else gave the endpoint is left to it: the bridge makes one of its own", async () => {
    const { rig, state, subscription, path, outcomes } = await subscribed();
    const before = state.read().endpoint;
    await rig.put(await path(), { url: ELSEWHERE });
    subscription.renew();
    await until("it has one again", () => outcomes().length === 2);
    expect((await all(rig)).map(({ url }) => url).sort()).toEqual([URL_OF_BRIDGE, ELSEWHERE].sort());
    expect(state.read().endpoint).toMatchObject({ urls: [URL_OF_BRIDGE] });
    expect(state.read().endpoint?.id).not.toBe(before?.id);
  });

  test("that a restored hub has of it is one of its former ones", async () => {
    const { rig, hub, endpoint } = await subscribed();
    const id = String((await endpoint())?.["id"]);
    const known = { id, urls: ["http://127.0.0.1:11/webhook", URL_OF_BRIDGE] };
    const moved = await hub.subscribe({ url: "http://127.0.0.1:12/webhook", secrets: [SECRET], known });
    expect(moved).toMatchObject({ endpointId: id, done: ["moved"] });
    expect(await all(rig)).toHaveLength(1);
  });

  test("on another server, or another port, takes the endpoint's own headers from it: they are named", async () => {
    const { rig, hub, path } = await subscribed();
    const id = (await path()).slice("/api/endpoints/".length);
    await rig.put(await path(), { headers: { "X-Tenant": "acme" } });
    const known = { id, urls: [URL_OF_BRIDGE] };
    const sameServer = `${URL_OF_BRIDGE}/2`;
    const near = await hub.subscribe({ url: sameServer, secrets: [SECRET], known });
    expect(near).toMatchObject({ done: ["moved"], advice: [] });
    const far = await hub.subscribe({
      ...{ url: ELSEWHERE, secrets: [SECRET] },
      known: { id, urls: [sameServer] },
    });
    expect(far).toMatchObject({ done: ["moved"], advice: [expect.stringMatching(/X-Tenant/i)] });
    expect(JSON.stringify(far)).not.toContain("acme");
    expect(await all(rig)).toMatchObject([{ id, headers: [] }]);
  });

  test("without the memory of the first leads to a second endpoint, and to a word about the first", async () => {
    const { rig, hub, endpoint } = await subscribed();
    const id = String((await endpoint())?.["id"]);
    const place = { url: ELSEWHERE, secrets: [SECRET], known: null };
    const { done, advice } = await hub.subscribe(place);
    expect(done).toEqual(["created"]);
    expect(advice).toEqual([expect.stringContaining(id)]);
    expect(await all(rig)).toHaveLength(2);
    const stranger = { url: "http://127.0.0.1:11/webhook", secrets: ["o".repeat(32)], known: null };
    expect(await hub.subscribe(stranger)).toMatchObject({ done: ["created"], advice: [] });
  });
});

describe("an endpoint that somebody made at the new address", () => {
  const NEW_URL = "http://127.0.0.1:10/webhook";
  const all = async (rig: HttpRig) => listIn((await rig.get("/api/endpoints")).data, "endpoints");

  async function moving() {
    const { rig, state, log, hub, endpoint } = await subscribed();
    const former = String((await endpoint())?.["id"]);
    const made = await rig.post("/api/endpoints", {
      url: NEW_URL,
      events: ["message.received"],
      secret: SECRET,
    });
    const id = String(made.data["id"]);
    const moved = createSubscription({
      hub,
      ...{ url: NEW_URL, secrets: [SECRET] },
      state,
      clock: rig.clock,
      log,
    });
    onTestFinished(() => moved.stop());
    const looked = async () => {
      const before = log.lines("subscription.ready").length;
      moved.start();
      await until("it has looked", () => log.lines("subscription.ready").length > before);
    };
    const advice = () => log.lines("subscription.advice").map(({ facts }) => facts["advice"]);
    return { rig, state, hub, moved, former, id, looked, advice };
  }

  test("is the bridge's from then on, and the former one goes where nothing waits in it", async () => {
    const { rig, state, id, looked, advice } = await moving();
    await looked();
    expect(await all(rig)).toMatchObject([{ id, url: NEW_URL, events: ["*"] }]);
    expect(state.read().endpoint).toMatchObject({ id, urls: [NEW_URL] });
    expect(advice()).toEqual([]);
  });

  test("leaves the former one where something waits: a person is told, until it is gone", async () => {
    const { rig, state, moved, former, id, looked, advice } = await moving();
    await rig.post(`/api/endpoints/${former}/pause`);
    await rig.session("s1");
    await looked();
    expect((await all(rig)).map((one) => one["id"]).sort()).toEqual([former, id].sort());
    expect(advice()).toEqual([expect.stringContaining(former)]);
    await rig.call("DELETE", `/api/endpoints/${former}`);
    moved.renew();
    await until("it is forgotten", () => state.read().endpoint?.id === id);
  });

  test("is not made by itself: another one there is named, whoever made it", async () => {
    const { rig, hub, endpoint } = await subscribed();
    const id = String((await endpoint())?.["id"]);
    const place = { url: URL_OF_BRIDGE, secrets: [SECRET], known: { id, urls: [URL_OF_BRIDGE] } };
    const other = await rig.post("/api/endpoints", { url: URL_OF_BRIDGE, events: ["*"] });
    const otherId = String(other.data["id"]);
    expect(await hub.subscribe(place)).toMatchObject({
      endpointId: id,
      done: [],
      advice: [expect.stringContaining(otherId)],
    });
    await rig.put(`/api/endpoints/${otherId}`, { enabled: false });
    expect(await hub.subscribe(place)).toMatchObject({ advice: [] });
  });
});

test("the endpoint of a single session at the bridge's address is none of its own", async () => {
  const { rig, hub } = await opened();
  await rig.session("s1");
  await rig.put("/api/sessions/s1/webhook", { webhookUrl: URL_OF_BRIDGE, webhookSecret: SECRET });
  const { done, advice } = await hub.subscribe({ url: URL_OF_BRIDGE, secrets: [SECRET], known: null });
  expect(done).toEqual(["created"]);
  expect(advice).toEqual([expect.stringMatching(/URL/)]); // it is told of that session twice
});
