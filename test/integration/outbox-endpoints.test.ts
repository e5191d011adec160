import { describe, expect, test } from "vitest";
import { X_SET } from "../../hub/contract/events.ts";
import { createEndpoints } from "../../hub/outbox/endpoints.ts";
import { HubError } from "../../hub/core/errors.ts";
import { createAddressGuard } from "../../hub/core/webhook-address.ts";
import { hours } from "../support/fixed-clock.ts";
import { openOutboxRig, placeCipher, SECRET } from "../support/outbox-rig.ts";

/** Paths of the fields a refusal names. */
async function refusedFields(call: Promise<unknown>): Promise<string[]> {
  try {
    await call;
    return [];
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== "VALIDATION_ERROR") throw error;
    const fields: unknown = error.details?.["fields"];
    return Array.isArray(fields) ? fields.map(({ path }: { path: string }) => path) : ["?"];
  }
}

describe("making one", () => {
  test("gives it a secret that is shown once and kept sealed", async () => {
    const rig = await openOutboxRig();
    const { endpoint, secret } = await rig.endpoints.create({ url: "https://93.184.216.34/hook" });
    expect(secret).toMatch(/^whsec_/);
    expect(Buffer.from(endpoint.secret).toString()).toBe(`endpoint:${endpoint.id}|${secret}`);
    expect(rig.endpoints.signing(endpoint)).toEqual({ secret, previous: null });
    expect(await rig.store.endpoints.get(endpoint.id)).toMatchObject({
      events: ["*"],
      ordering: "chat",
      ack: "body",
      timeoutMs: 15_000,
      concurrency: 4,
      managedBy: null,
      state: "active",
    });
  });

  test("names every field that is wrong, at once", async () => {
    const rig = await openOutboxRig();
    const fields = await refusedFields(
      rig.endpoints.create({
        url: "http://10.0.0.1/hook",
        secret: "short",
        timeoutMs: 100,
        concurrency: 33,
        events: [],
        sessions: [],
        signatureHeaderName: "webhook-id",
        headers: {
          "Content-Type": "x",
          "X-Webhook-Event": "x",
          "bad name": "x",
          "X-Fine": "a\r\nb",
          "x-own": "1",
          "X-Own": "2",
        },
      }),
    );
    expect(fields.sort()).toEqual(
      [
        "concurrency",
        "events",
        "headers.Content-Type",
        "headers.X-Fine",
        "headers.X-Own",
        "headers.X-Webhook-Event",
        "headers.bad name",
        "secret",
        "sessions",
        "signatureHeaderName",
        "timeoutMs",
        "url",
      ].sort(),
    );
    expect(await rig.endpoints.list()).toEqual([]);
  });

  test("sends own headers, Authorization among them only when it was set on purpose", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    const headers = { Authorization: "token k:s", "X-Tenant": "7" };
    const { id } = await rig.endpoint(crm, { headers });
    await rig.says("34600111222");
    await rig.dispatcher.idle();
    expect(crm.requests()[0]?.headers).toMatchObject({ authorization: "token k:s", "x-tenant": "7" });
    await rig.endpoints.update(id, { headers: {} });
    await rig.says("34600111222");
    await rig.dispatcher.idle();
    expect(crm.requests()[1]?.headers).not.toHaveProperty("authorization");
  });
});

test("a name that nobody answers for holds up no order about another one, and passes after a moment", async () => {
  const rig = await openOutboxRig({ resolve: () => undefined });
  const { endpoint } = await rig.endpoints.create({ url: "https://93.184.216.34/hook" });
  const slow = [
    rig.endpoints.create({ url: "https://slow.example/hook" }),
    rig.endpoints.setForSession("s1", { url: "https://slow.example/s1" }),
    rig.endpoints.update(endpoint.id, { url: "https://slow.example/hook" }),
  ];
  const paused = rig.endpoints.pause(endpoint.id).then(({ state }) => state);
  expect(await Promise.race([paused, ...slow])).toBe("paused");
  await Promise.all(slow);
  expect((await rig.endpoints.get(endpoint.id)).url).toBe("https://slow.example/hook");
});

test("an unknown one is not found", async () => {
  const rig = await openOutboxRig();
  for (const call of [
    rig.endpoints.get("ep_0"),
    rig.endpoints.update("ep_0", {}),
    rig.endpoints.remove("ep_0"),
    rig.endpoints.pause("ep_0"),
    rig.endpoints.rotateSecret("ep_0"),
    rig.endpoints.test("ep_0"),
  ])
    await expect(call).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("removing one dismisses what it was owed and sends no more", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm);
  await rig.endpoints.pause(id);
  await rig.says("34600111222");
  await rig.says("34600111222");
  expect(await rig.endpoints.remove(id)).toEqual({ dismissed: 2 });
  await rig.says("34600111222");
  await rig.after(hours(1));
  expect(crm.counts().requests).toBe(0);
  expect(await rig.endpoints.list()).toEqual([]);
});

test("a disabled one gets nothing new and keeps its rows", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm);
  await crm.goesDown();
  await rig.says("34600111222", "owed");
  await rig.dispatcher.idle();
  await crm.comesBack();
  await rig.endpoints.update(id, { enabled: false });
  await rig.says("34600111222", "not owed");
  await rig.after(hours(1));
  expect(crm.counts().requests).toBe(0);
  await rig.endpoints.update(id, { enabled: true });
  await rig.dispatcher.idle();
  expect(crm.counts().unique).toBe(1);
});

describe("of a session", () => {
  test("is one, with the defaults that CRMs expect, and goes with an empty URL", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    const made = await rig.endpoints.setForSession("s1", { url: crm.url, client: "crm" });
    expect(made.secret).toMatch(/^whsec_/);
    expect(made.endpoint).toMatchObject({
      managedBy: "session",
      sessions: ["s1"],
      ordering: "session",
      ack: "body",
      events: X_SET,
      client: "crm",
    });
    const changed = await rig.endpoints.setForSession("s1", {
      url: `${crm.url}/2`,
      secret: "a-secret-of-its-own",
    });
    expect(changed).toMatchObject({ endpoint: { id: made.endpoint?.id, url: `${crm.url}/2` }, secret: null });
    expect(changed.endpoint && rig.endpoints.signing(changed.endpoint)).toEqual({
      secret: "a-secret-of-its-own",
      previous: made.secret,
    });
    expect(await rig.endpoints.forSession("s1")).toHaveLength(1);
    expect(await rig.endpoints.forSession("s2")).toHaveLength(0);
    expect(await rig.endpoints.setForSession("s1", { url: "" })).toEqual({ endpoint: null, secret: null });
    expect(await rig.endpoints.list()).toEqual([]);
  });

  test("needs a URL the first time, and a proper secret", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    expect(await refusedFields(rig.endpoints.setForSession("s1", { secret: "a-secret-of-its-own" }))).toEqual(
      ["webhookUrl"],
    );
    expect(await refusedFields(rig.endpoints.setForSession("s1", { url: crm.url, secret: "short" }))).toEqual(
      ["webhookSecret"],
    );
    expect(await refusedFields(rig.endpoints.setForSession("s1", { url: "http://10.0.0.1/hook" }))).toEqual([
      "webhookUrl",
    ]);
  });
});

describe("of the configuration", () => {
  const openConfigured = async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    const guard = createAddressGuard({ allowCidrs: [], allowedUrls: [crm.url] });
    const { store, clock } = rig;
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
    };
    const open = () =>
      createEndpoints({ store: store.endpoints, cipher: placeCipher, guard, clock, log, userAgent: "x" });
    return { crm, open };
  };

  test("is made once, follows the configuration, and may be the very address that was configured", async () => {
    const { crm, open } = await openConfigured();
    const first = await open().ensureDefault({ url: crm.url, secret: SECRET });
    expect(first).toMatchObject({ managedBy: "default", sessions: "*", events: X_SET, ordering: "session" });
    const again = open();
    expect(await again.ensureDefault({ url: crm.url, secret: "another-secret-of-it" })).toMatchObject({
      id: first?.id,
    });
    expect(await again.list()).toHaveLength(1);
    const [now] = await again.list();
    expect(now && again.signing(now)).toEqual({ secret: "another-secret-of-it", previous: SECRET });
    expect(await refusedFields(again.create({ url: crm.url.replace("/hook", "/other") }))).toEqual(["url"]);
  });

  test("is taken out of use when the configuration no longer names one", async () => {
    const { crm, open } = await openConfigured();
    await open().ensureDefault({ url: crm.url, secret: SECRET });
    const later = open();
    expect(await later.ensureDefault(null)).toMatchObject({ enabled: false });
    expect(await later.ensureDefault({ url: crm.url, secret: SECRET })).toMatchObject({ enabled: true });
  });
});

describe("trying one", () => {
  test("tells at each step that it works", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    const { id } = await rig.endpoint(crm);
    const report = await rig.endpoints.test(id);
    expect(report.hops.map(({ hop, ok }) => [hop, ok])).toEqual(
      ["dns", "connect", "tls", "http", "signature", "ack"].map((hop) => [hop, true]),
    );
    expect(report).toMatchObject({ status: 200, body: '{"success":true}' });
    expect(crm.requests()).toMatchObject([{ event: "endpoint.test", sessionId: "_hub", fault: null }]);
    expect(await rig.deliveries()).toEqual([]);
  });

  test("tells where it stops and what helps", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    const { id } = await rig.endpoint(crm);
    const failedHops = async () =>
      (await rig.endpoints.test(id)).hops
        .filter(({ ok }) => !ok)
        .map(({ hop, advice }) => [hop, advice !== null]);

    crm.answers({ kind: "answer", status: 404 });
    expect(await failedHops()).toEqual([
      ["http", true],
      ["ack", true],
    ]);
    crm.answers({ kind: "answer", body: { success: false, error: "Invalid signature" } });
    expect(await failedHops()).toEqual([
      ["signature", true],
      ["ack", true],
    ]);
    crm.answers();
    crm.expects("some-other-secret-x");
    expect(await failedHops()).toEqual([
      ["http", true],
      ["signature", true],
      ["ack", true],
    ]);
    await crm.goesDown();
    expect(await failedHops()).toEqual([
      ["connect", true],
      ["tls", false],
      ["http", false],
      ["signature", false],
      ["ack", false],
    ]);
  });
});

test("what was learnt survives a restart, and a person's pause is never undone by it", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm);
  crm.answers({ kind: "answer", status: 503 });
  for (let n = 0; n < 6; n += 1) await rig.says(`3460000${1000 + n}`);
  await rig.dispatcher.idle();
  await rig.restart();
  const stored = await rig.store.endpoints.get(id);
  expect(stored).toMatchObject({ breaker: { state: "open", openings: 1 }, lastError: "HTTP 503" });
  expect(crm.counts().requests).toBe(5);

  await rig.endpoints.pause(id);
  await rig.restart();
  expect((await rig.store.endpoints.get(id))?.state).toBe("paused");
});
