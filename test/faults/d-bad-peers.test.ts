/** D7, D8, D9, D10, D12, D14: peers that are slow, endless, or lead elsewhere. */
import { createServer, type Server } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CrmAnswer } from "../support/crm-faults.ts";
import { seconds } from "../support/fixed-clock.ts";
import { openOutboxRig } from "../support/outbox-rig.ts";
import { until } from "../support/until.ts";

/** The shortest deadline an endpoint can have. */
const DEADLINE_MS = 5000;
const MB = 1024 * 1024;

describe.each<[string, CrmAnswer, string]>([
  ["never answers", { kind: "hang" }, "ETIMEDOUT"],
  ["drips its headers", { kind: "drip-headers", everyMs: 50 }, "ETIMEDOUT"],
  ["drips its body", { kind: "drip-body", everyMs: 50 }, "ack_incomplete"],
])("D8: a CRM that %s", (_what, answer, error) => {
  test("is left at the deadline, and other endpoints go on as if nothing was", async () => {
    const rig = await openOutboxRig();
    const [slow, good] = [await rig.crm(), await rig.crm()];
    const { id } = await rig.endpoint(slow, { timeoutMs: DEADLINE_MS });
    slow.answers(answer);
    const { id: healthy } = await rig.endpoint(good);
    const startedAt = performance.now();
    for (let n = 0; n < 8; n += 1) await rig.says(`3460000${1000 + n}`);
    await until("the good CRM has all", () => good.counts().unique === 8);
    expect(performance.now() - startedAt).toBeLessThan(DEADLINE_MS / 2);

    await until(
      "the slow one was given up",
      async () =>
        (await rig.deliveries({ endpointId: id })).filter(({ lastError }) => lastError === error).length >= 4,
    );
    expect(performance.now() - startedAt).toBeGreaterThan(DEADLINE_MS * 0.9);
    expect(performance.now() - startedAt).toBeLessThan(DEADLINE_MS * 2);
    expect(await rig.deliveries({ endpointId: healthy, state: "delivered" })).toHaveLength(8);
    const [first] = await rig.deliveries({ endpointId: id, state: "retrying" });
    if (error === "ETIMEDOUT")
      expect(first?.nextAttemptAt?.getTime()).toBe(rig.clock.now().getTime() + seconds(60));
    await slow.stop();
  });
});

describe.each<[string, CrmAnswer]>([
  ["without an end", { kind: "endless-body" }],
  ["of a gigabyte", { kind: "big-body", bytes: 1024 * MB }],
])("D9: a 2xx with a body %s", (_what, answer) => {
  test("is delivered and flagged, and only its beginning is read", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    await rig.says("34600111222", "warm up");
    await rig.dispatcher.idle();
    crm.answers(answer);
    const before = process.memoryUsage.rss();
    for (let n = 0; n < 5; n += 1) await rig.says("34600111222", `${n}`);
    await rig.dispatcher.idle();
    // The CRM lives in this process too, so that its own buffers count as well.
    expect((process.memoryUsage.rss() - before) / MB).toBeLessThan(40);
    const latest = (await rig.deliveries()).at(-1);
    expect(await rig.deliveries({ state: "delivered" })).toHaveLength(6);
    expect(latest).toMatchObject({ lastStatus: 200, lastError: "ack_unread" });
    const log = await rig.store.outbox.get(latest?.n ?? 0);
    expect(log?.attempts[0]?.responseHead).toHaveLength(2048);
  });
});

describe("D10: redirects", () => {
  test.each([301, 302, 303, 307, 308])(
    "%i to another host, to metadata or in a circle are not followed",
    async (status) => {
      const rig = await openOutboxRig();
      const [crm, elsewhere] = [await rig.crm(), await rig.crm()];
      await rig.endpoint(crm);
      const targets = [elsewhere.url, "http://169.254.169.254/latest/meta-data", crm.url];
      crm.answersNext(...targets.map((to): CrmAnswer => ({ kind: "redirect", to, status })));
      for (let n = 0; n < 3; n += 1) await rig.says(`3460000${1000 + n}`);
      await rig.dispatcher.idle();
      expect(elsewhere.connections()).toBe(0);
      expect(crm.counts()).toMatchObject({ requests: 3, unique: 0 });
      for (const delivery of await rig.deliveries())
        expect(delivery).toMatchObject({ state: "retrying", failure: "event", lastError: `HTTP ${status}` });
    },
  );
});

describe("D7, D12: broken connections and broken HTTP", () => {
  test.each<[string, CrmAnswer]>([
    ["a reset after the request", { kind: "reset" }],
    ["something that is not HTTP", { kind: "garbage" }],
    ["40 KB of header", { kind: "big-header", bytes: 40 * 1024 }],
    ["a broken chunk", { kind: "bad-chunk" }],
    ["less than announced", { kind: "cut-body", body: "{" }],
  ])("%s is the endpoint's failure, and the next try gets through", async (_what, answer) => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    crm.answers(answer);
    await rig.says("34600111222");
    await rig.dispatcher.idle();
    const [delivery] = await rig.deliveries();
    expect(delivery).toMatchObject({ state: "retrying", failure: "endpoint", attempts: 1 });
    expect(delivery?.lastError).not.toBe("");
    crm.answers();
    await rig.after(seconds(5));
    expect(crm.counts()).toMatchObject({ unique: 1, duplicated: 0 });
  });

  test("a connection that the CRM closed while it was idle costs no attempt", async () => {
    const rig = await openOutboxRig();
    const crm = await rig.crm();
    await rig.endpoint(crm);
    await rig.says("34600111222", "opens the connection");
    await rig.dispatcher.idle();
    crm.answersNext({ kind: "reset" });
    await rig.says("34600111222", "meets it closed");
    await rig.dispatcher.idle();
    expect(await rig.deliveries({ state: "delivered" })).toHaveLength(2);
    expect((await rig.deliveries()).map(({ attempts }) => attempts)).toEqual([1, 1]);
  });

  test("a peer that accepts and says nothing ends at the deadline", async () => {
    const rig = await openOutboxRig();
    const port = await blackHole();
    await rig.endpoint({ url: `http://127.0.0.1:${port}/hook` }, { timeoutMs: DEADLINE_MS });
    await rig.says("34600111222");
    await rig.dispatcher.idle();
    expect((await rig.deliveries())[0]).toMatchObject({ state: "retrying", lastError: "ETIMEDOUT" });
  });
});

async function blackHole(): Promise<number> {
  const server: Server = createServer((socket) => socket.on("error", () => undefined));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("D14: one slow endpoint of twenty holds nobody up", async () => {
  const rig = await openOutboxRig();
  const crms = await Promise.all(Array.from({ length: 20 }, () => rig.crm()));
  for (const crm of crms) await rig.endpoint(crm);
  crms[0]?.answers({ kind: "hang" });
  const startedAt = performance.now();
  for (let n = 0; n < 30; n += 1) await rig.says(`3460000${1000 + n}`);
  await until("nineteen have all", () => crms.slice(1).every((crm) => crm.counts().unique === 30));
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  await crms[0]?.stop();
});
