/** Who connected, ended and made an account, as the bridge's registry has it: over a whole hub, and through the bridge itself. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { makeSecret } from "../../hub/contract/index.ts";
import { openBridgeRig, type BridgeRig } from "../support/bridge-rig.ts";
import { createHubClient, type HubClient } from "../support/hub-client.ts";
import { freePort } from "../support/product-process.ts";
import { startPuppetHub, type PuppetHub } from "../support/puppet-hub.ts";
import { until } from "../support/until.ts";

let hub: PuppetHub;
/** Somebody who orders at the hub. */
let office: HubClient;

beforeEach(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-"));
  hub = await startPuppetHub({ dataDir, port: await freePort() });
  onTestFinished(async () => {
    await hub.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  await hub.link("s1");
  const made = { name: "Front office", scopes: ["read", "admin"], sessions: "*" };
  const { key } = await hub.client.post<{ key: string }>("/api/keys", made);
  office = createHubClient({ url: hub.url, apiKey: key });
});

const startBridge = (aheadMs = 0): Promise<BridgeRig> =>
  openBridgeRig({
    env: {
      BRIDGE_HUB_URL: hub.url,
      BRIDGE_HUB_API_KEY: hub.apiKey,
      BRIDGE_WEBHOOK_SECRET: makeSecret(),
      BRIDGE_SYNC_ON_CONNECT: "false",
    },
    overrides: { clock: { now: () => new Date(Date.now() + aheadMs) } },
  });

/** Follows the hub by webhook from now on; no list is being read any more, which knows that it is connected and not by whom. */
async function following(aheadMs = 0): Promise<BridgeRig> {
  const rig = await startBridge(aheadMs);
  await until("the bridge has its place", () => rig.log.lines("subscription.ready").length > 0);
  await until("the bridge knows it", () => rowOf(rig)?.status === "connected");
  await until("the lists were compared", () => rig.log.lines("reconcile.sessions_compared").length > 0);
  return rig;
}

const rowOf = ({ bridge }: BridgeRig, sessionId = "s1") => bridge.connections.get(sessionId);
const isEnded = (rig: BridgeRig) => until("it is ended", () => rowOf(rig)?.status === "disconnected");
const lastEnded = ({ bridge }: BridgeRig) => bridge.connections.figures().lastDisconnections[0];

describe("an order at the hub", () => {
  test.each(["disconnect", "logout"])("to %s is kept with the name of its key", async (order) => {
    const rig = await following();
    await office.post(`/api/sessions/s1/${order}`);
    await isEnded(rig);
    expect(rowOf(rig)).toMatchObject({ manuallyDisconnected: true, disconnectedBy: "Front office" });
    expect(lastEnded(rig)).toMatchObject({ sessionId: "s1", by: "Front office" });
  });

  test("by somebody who logged in is kept with the user's id, not with what is typed to log in", async () => {
    const rig = await following();
    const identifier = "ana@example.com";
    const ana = { identifier, scopes: ["read", "admin"], sessions: "*" };
    const { id, password } = await hub.client.post<{ id: string; password: string }>("/api/users", ana);
    const person = createHubClient({ url: hub.url, apiKey: "" });
    const { accessToken } = await person.post<{ accessToken: string }>("/api/auth/login", {
      identifier,
      password,
    });
    await person.post("/api/sessions/s1/disconnect", {}, { Authorization: `Bearer ${accessToken}` });
    await isEnded(rig);
    expect(rowOf(rig)).toMatchObject({ disconnectedBy: id });
    await person.post("/api/sessions/s1/connect", {}, { Authorization: `Bearer ${accessToken}` });
    await until("it is connected", () => rowOf(rig)?.status === "connected");
    expect(rowOf(rig)).toMatchObject({ connectOrderedBy: id });
    const told = await hub.client.get("/api/events?after=0&limit=100");
    expect(JSON.stringify(told)).not.toContain(identifier);
  });

  test("to delete too", async () => {
    const rig = await following();
    await office.delete("/api/sessions/s1");
    await isEnded(rig);
    expect(lastEnded(rig)).toMatchObject({ sessionId: "s1", by: "Front office" });
  });

  test("that the bridge only finds in the hub's list as well", async () => {
    await office.post("/api/sessions/s1/disconnect");
    const rig = await startBridge();
    await until("the bridge knows it", () => rowOf(rig) !== null);
    expect(rowOf(rig)).toMatchObject({ manuallyDisconnected: true, disconnectedBy: "Front office" });
  });

  test("to connect is kept as well, and ends what was ended by hand", async () => {
    const rig = await following();
    await hub.client.post("/api/sessions/s1/disconnect");
    await isEnded(rig);
    await office.post("/api/sessions/s1/connect");
    await until("it is connected", () => rowOf(rig)?.status === "connected");
    expect(rowOf(rig)).toMatchObject({
      connectOrderedBy: "Front office",
      manuallyDisconnected: false,
      disconnectedBy: null,
    });
  });
});

test("an order through the bridge is kept with its caller, though the hub only knows the bridge", async () => {
  const rig = await following();
  await rig.method("api.session.disconnect", { session_id: "s1" });
  await isEnded(rig);
  await rig.bridge.idle();
  expect(rowOf(rig)).toMatchObject({ manuallyDisconnected: true, disconnectedBy: "crm" });
  expect(lastEnded(rig)).toMatchObject({ by: "crm" });
  await rig.method("api.session.connect", { session_id: "s1" });
  await until("it is connected", () => rowOf(rig)?.status === "connected");
  expect(rowOf(rig)).toMatchObject({ connectOrderedBy: "crm" });
  await rig.method("api.session.create_session", { session_id: "s2" });
  expect(rowOf(rig, "s2")).toMatchObject({ createdBy: "crm", status: "disconnected" });
});

test("who connects at the hub just after an order through the bridge is kept with the own name", async () => {
  const rig = await following();
  await hub.client.post("/api/sessions/s1/disconnect");
  await isEnded(rig);
  await rig.method("api.session.connect", { session_id: "s1" });
  await until("it is connected", () => rowOf(rig)?.status === "connected");
  expect(rowOf(rig)).toMatchObject({ connectOrderedBy: "crm" });
  await office.post("/api/sessions/s1/disconnect");
  await isEnded(rig);
  await office.post("/api/sessions/s1/connect");
  await until("it is connected again", () => rowOf(rig)?.status === "connected");
  expect(rowOf(rig)).toMatchObject({ connectOrderedBy: "Front office" });
});

test("who connects at the hub just after an order here that changed nothing is kept with the own name", async () => {
  const rig = await following();
  await rig.method("api.session.connect", { session_id: "s1" });
  await office.post("/api/sessions/s1/disconnect");
  await isEnded(rig);
  await office.post("/api/sessions/s1/connect");
  await until("it is connected again", () => rowOf(rig)?.status === "connected");
  expect(rowOf(rig)).toMatchObject({ connectOrderedBy: "Front office" });
});

test("a bridge whose clock is ahead sees at once that what it ended is connected at the hub", async () => {
  const rig = await following(120_000);
  await rig.method("api.session.disconnect", { session_id: "s1" });
  await isEnded(rig);
  await office.post("/api/sessions/s1/connect");
  await until("it is connected", () => rowOf(rig)?.status === "connected");
  expect(rowOf(rig)).toMatchObject({
    ...{ manuallyDisconnected: false, disconnectedBy: null },
    connectOrderedBy: "Front office",
  });
});
