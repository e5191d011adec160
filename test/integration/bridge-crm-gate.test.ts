/** The gate before the CRM: shut until the CRM is ready, and tried again whatever a try ended with. */
import { createServer } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { startBridge } from "../../bridge/bridge.ts";
import { systemClock } from "../../bridge/clock.ts";
import { readBridgeConfig } from "../../bridge/config.ts";
import { createCrmGate } from "../../bridge/crm-gate.ts";
import { CrmMisconfigured, CrmUnavailable } from "../../bridge/errors.ts";
import type { RootLog } from "../../bridge/log.ts";
import { openBridgeRig } from "../support/bridge-rig.ts";
import { createFakeHub } from "../support/fake-hub.ts";
import { listIn, recordOf } from "../support/http-rig.ts";
import { logBook } from "../support/log-book.ts";
import { SECRET } from "../support/receiver-rig.ts";
import { until } from "../support/until.ts";

/** Each try of the CRM ends as the next of `tries` does; after them all is well. */
function aGate(tries: (() => Promise<void>)[], { prepares = true } = {}) {
  const log = logBook();
  const done: string[] = [];
  const adapter: CrmAdapter = {
    ...createMemoryAdapter({ clock: systemClock }),
    prepare: () => Promise.resolve(void done.push("prepared")),
    check: () => {
      done.push("checked");
      return tries.shift()?.() ?? Promise.resolve();
    },
  };
  const gate = createCrmGate({ adapter, prepares, log, firstTryMs: 50, firstPauseMs: 5 });
  onTestFinished(() => gate.stop());
  return { gate, log, done };
}

const fails = (cause: Error) => (): Promise<void> => Promise.reject(cause);
/** Ends, when the test says so, as it says. */
function held() {
  let settle: { resolve: () => void; reject: (cause: Error) => void } | undefined;
  const end = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  return { try: () => end, ends: () => settle?.resolve(), fails: (cause: Error) => settle?.reject(cause) };
}

describe("the gate", () => {
  test("is open after a first try that went well, and what writes passes", async () => {
    const { gate, done, log } = aGate([]);
    await expect(gate.adapter.totals("s1")).rejects.toThrow("it is being prepared");
    await gate.open();
    await gate.whenOpen();
    expect([gate.isOpen(), done]).toEqual([true, ["prepared", "checked"]]);
    expect(await gate.adapter.totals("s1")).toMatchObject({ contacts: 0 });
    expect(log.lines("crm.ready")).toHaveLength(1);
  });

  test("only checks a CRM whose shape is changed on order", async () => {
    const { gate, done } = aGate([], { prepares: false });
    await gate.open();
    expect(done).toEqual(["checked"]);
  });

  test.each([
    ["crm.not_reached", fails(new CrmUnavailable("it is down"))],
    ["crm.misconfigured", fails(new CrmMisconfigured("it is down"))],
  ])(
    "lets the bridge start before a CRM that is not ready (%s), and opens when it is",
    async (event, down) => {
      const { gate, log } = aGate([down, down]);
      await gate.open();
      expect(gate.isOpen()).toBe(false);
      await expect(gate.adapter.totals("s1")).rejects.toThrow("The CRM is not ready: it is down");
      await gate.whenOpen();
      expect(gate.isOpen()).toBe(true);
      expect(log.lines(event).map(({ facts }) => facts["nextTryInMs"])).toEqual([5, 10]);
    },
  );

  test("does not wait for a first try that takes long, and opens when it ends", async () => {
    const slow = held();
    const { gate } = aGate([slow.try]);
    await gate.open();
    expect(gate.isOpen()).toBe(false);
    slow.ends();
    await gate.whenOpen();
    expect(gate.isOpen()).toBe(true);
  });

  test("tries again after a first try that took long and failed by what nobody foresaw, and says so", async () => {
    const slow = held();
    const { gate, log, done } = aGate([slow.try, fails(new Error("again"))]);
    await gate.open();
    slow.fails(new Error("connect ETIMEDOUT"));
    await until("it is open", () => gate.isOpen(), { timeoutMs: 2_000 });
    expect(done.filter((one) => one === "checked")).toHaveLength(3);
    expect(log.lines("crm.prepare_failed")).toHaveLength(2);
  });

  test("tells whoever starts the bridge of a first try that fails at once by what nobody foresaw", async () => {
    const { gate } = aGate([fails(new Error("no such module"))]);
    await expect(gate.open()).rejects.toThrow("no such module");
  });

  test("that was stopped tries no more, and lets go whoever waits for it", async () => {
    const slow = held();
    const { gate, log } = aGate([slow.try]);
    await gate.open();
    gate.stop();
    await gate.whenOpen();
    const timers = vi.spyOn(globalThis, "setTimeout");
    onTestFinished(() => timers.mockRestore());
    slow.fails(new Error("late"));
    await slow.try().catch(() => vi.waitUntil(() => log.lines("crm.prepare_failed").length === 1));
    expect(gate.isOpen()).toBe(false);
    expect(timers.mock.calls.filter(([, ms]) => ms === 5)).toEqual([]);
  });
});

test("while the CRM is not ready a sync says why it waits, and so does what monitors ask", async () => {
  const down = new CrmUnavailable("GET /stats: ECONNREFUSED");
  let isDown = true;
  const adapter = createMemoryAdapter({ clock: systemClock });
  const { check } = adapter;
  const rig = await openBridgeRig({
    env: { BRIDGE_SYNC_ON_CONNECT: "0" },
    given: (hub) => void hub.store.addSession({ sessionId: "s1" }),
    overrides: {
      adapter: { ...adapter, name: "http", check: () => (isDown ? Promise.reject(down) : check()) },
    },
  });
  const why =
    "The CRM is not ready: GET /stats: ECONNREFUSED. Check that the CRM runs, and that CRM_URL is its address.";
  const { message } = await rig.method("api.sync.sync_session_complete", { session_name: "s1" });
  expect(message).toMatchObject({ status: "queued", waits_because: why });
  const jobNow = async () => {
    const answer = await rig.method("api.sync.get_sync_status", { job_id: message["job_id"] });
    return recordOf(listIn(answer.message, "sessions")[0]?.["job"]);
  };
  expect(await jobNow()).toMatchObject({ status: "queued", waits_because: why });
  const { json } = await rig.call("GET", "/readyz");
  expect(recordOf(json["checks"])["crm"]).toEqual({
    ok: false,
    problem: "The CRM is not ready: GET /stats: ECONNREFUSED",
    advice: "Check that the CRM runs, and that CRM_URL is its address.",
  });
  expect(rig.log.lines("crm.not_reached")[0]?.facts).toMatchObject({ advice: expect.any(String) as string });
  isDown = false;
  await until("it is synced", async () => (await jobNow())["status"] === "done");
  expect(await jobNow()).toMatchObject({ waits_because: null });
});

test("a bridge that cannot be started leaves neither its port nor its folder behind", async () => {
  const dir = await mkdtemp(join(tmpdir(), "bridge-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const port = await freePort();
  const config = readBridgeConfig({
    BRIDGE_PORT: String(port),
    BRIDGE_DATA_DIR: dir,
    BRIDGE_HUB_API_KEY: "unused",
    BRIDGE_WEBHOOK_SECRET: SECRET,
    BRIDGE_CRM: "memory",
  });
  const log = logBook();
  const root: RootLog = { ...log, child: () => log };
  const adapter = createMemoryAdapter({ clock: systemClock });
  const hub = createFakeHub();
  const broken = { ...adapter, check: fails(new Error("no such module")) };
  await expect(startBridge(config, root, { hub, adapter: broken })).rejects.toThrow("no such module");
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
  const bridge = await startBridge(config, root, { hub, adapter });
  expect((await fetch(`${bridge.url}/health`)).status).toBe(200);
  await bridge.stop();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
