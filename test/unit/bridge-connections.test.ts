/** The registry of connections: who is connected, who ended it, and what the hub's list corrects. */
import { expect, test } from "vitest";
import type { Session } from "../../bridge/records.ts";
import { createConnections, type Connections } from "../../bridge/registry/connections.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import type { HubEvent } from "../../hub/contract/index.ts";
import { presentSession } from "../../hub/core/present.ts";
import type { Session as HubSession } from "../../hub/core/session.ts";
import { aSession, T0 } from "../support/builders.ts";
import { fixedClock, hours, minutes } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { eventOf, toldOfMove } from "../support/receiver-rig.ts";

const open = () => {
  const clock = fixedClock();
  const log = logBook();
  const state = createMemoryState();
  return { clock, log, state, connections: createConnections({ state, clock, log }) };
};

const reason = (code: string, blame: "user" | "network" = "user") => ({
  code,
  text: `because of ${code}`,
  blame,
  advice: "",
  at: T0,
});
const lost = aSession({ state: "reconnecting", lostAt: T0, reason: reason("408", "network") });
const up = aSession({ state: "connected" });
const connecting = aSession({ state: "starting", reason: null, connectedAt: null });
const stopped = aSession({ state: "stopped", reason: reason("stopped") });
const loggedOut = aSession({ state: "logged_out", reason: reason("logout"), phoneNumber: null });

const connected = (seq: number, previous: HubSession = lost) =>
  toldOfMove({ previous, next: up, toldConnected: false, quiet: false }, seq);
const ended = (seq: number, next: HubSession) =>
  toldOfMove({ previous: up, next, toldConnected: true, quiet: false }, seq);
const apply = async (connections: Connections, event: HubEvent) => {
  const { becameConnected, kept } = connections.applied(event);
  await kept;
  return { becameConnected };
};
const listed = (session: HubSession): Session => presentSession(session);

test("a connection, its loss and its return are kept with their moments", async () => {
  const { connections, clock } = open();
  expect(await apply(connections, connected(1))).toEqual({ becameConnected: true });
  expect(connections.get("s1")).toMatchObject({ status: "connected", phoneNumber: "34600999888", seq: 1 });
  clock.advance(minutes(1));
  await apply(connections, ended(2, lost));
  expect(connections.get("s1")).toMatchObject({
    status: "connecting",
    lastConnectedAt: T0.toISOString(),
    lastDisconnectedAt: T0.toISOString(),
    lastDisconnectReason: "because of 408",
    manuallyDisconnected: false,
    reconnectAttempts: 1,
  });
  expect(await apply(connections, connected(3))).toEqual({ becameConnected: true });
  expect(connections.get("s1")).toMatchObject({ status: "connected", reconnectAttempts: 0 });
  expect(connections.figures().lastDisconnections).toEqual([
    { sessionId: "s1", at: T0.toISOString(), reason: "because of 408", by: null },
  ]);
});

test("an older event changes nothing; the same one again answers as before", async () => {
  const { connections } = open();
  await apply(connections, ended(5, lost));
  expect(await apply(connections, connected(4))).toEqual({ becameConnected: false });
  expect(connections.get("s1")).toMatchObject({ status: "connecting", seq: 5 });
  expect(await apply(connections, connected(6))).toEqual({ becameConnected: true });
  expect(await apply(connections, connected(6))).toEqual({ becameConnected: true });
  expect(connections.get("s1")?.seq).toBe(6);
});

test("a session called like a member of every object is a session like any other", async () => {
  const { connections } = open();
  expect(connections.get("constructor")).toBeNull();
  const named = { ...connected(1), sessionId: "constructor" };
  await apply(connections, named);
  expect(connections.get("constructor")?.status).toBe("connected");
});

test.each([
  ["stopped by order", stopped],
  ["logged out", loggedOut],
])("a session %s is never connected again by itself", async (_what, session) => {
  const { connections } = open();
  await apply(connections, connected(1));
  await apply(connections, ended(2, session));
  expect(connections.get("s1")).toMatchObject({
    status: "disconnected",
    manuallyDisconnected: true,
    disconnectedBy: "user",
    phoneNumber: "34600999888",
  });
  expect(connections.shouldAutoReconnect("s1")).toBe(false);
  await connections.connectOrdered("s1", "ana");
  expect(connections.shouldAutoReconnect("s1")).toBe(true);
  await apply(connections, connected(3));
  expect(connections.get("s1")).toMatchObject({ manuallyDisconnected: false, disconnectedBy: null });
});

test("who ended it is kept, whether the order or its event is told first", async () => {
  const { connections } = open();
  await apply(connections, connected(1));
  await connections.disconnectedBy("s1", "ana");
  await apply(connections, ended(2, stopped));
  expect(connections.figures().lastDisconnections[0]).toMatchObject({ by: "ana" });

  await apply(connections, connected(3));
  await apply(connections, ended(4, stopped));
  await connections.disconnectedBy("s1", "bo");
  expect(connections.figures().lastDisconnections[0]).toMatchObject({ by: "bo" });
  expect(connections.get("s1")).toMatchObject({ disconnectedBy: "bo", manuallyDisconnected: true });
});

const ordered = (seq: number, by: string, at: Date): HubEvent => ({
  ...toldOfMove({ previous: stopped, next: connecting, toldConnected: false, quiet: false, by }, seq),
  timestamp: at.toISOString(),
});

test("an order to connect, and a connection, from before an order to end it do not undo that", async () => {
  const { connections, clock } = open();
  await apply(connections, connected(1));
  clock.advance(minutes(5));
  await connections.disconnectedBy("s1", "ana");
  const before = new Date(T0.getTime() + minutes(4));
  await apply(connections, ordered(2, "Front office", before));
  expect(connections.get("s1")).toMatchObject({ manuallyDisconnected: true, disconnectedBy: "ana" });
  await apply(connections, { ...connected(3), timestamp: before.toISOString() });
  expect(connections.get("s1")).toMatchObject({ manuallyDisconnected: true, disconnectedBy: "ana" });
  await apply(connections, ordered(4, "Front office", new Date(T0.getTime() + minutes(6))));
  expect(connections.get("s1")).toMatchObject({
    manuallyDisconnected: false,
    disconnectedBy: null,
    connectOrderedBy: "Front office",
  });
});

test.each([
  ["ahead of", minutes(2)],
  ["behind", minutes(-2)],
])(
  "what is told after an order to end it undoes that, with the bridge's clock %s the hub's",
  async (_what, by) => {
    const { connections, clock } = open();
    await apply(connections, connected(1));
    clock.advance(minutes(5) + by);
    await connections.disconnectedBy("s1", "ana", 4);
    const at = (passed: number) => new Date(T0.getTime() + minutes(passed));
    await apply(connections, ordered(2, "Front office", at(4)));
    expect(connections.get("s1")).toMatchObject({ manuallyDisconnected: true, disconnectedBy: "ana" });
    await apply(connections, { ...connected(3), timestamp: at(4).toISOString() });
    expect(connections.get("s1")).toMatchObject({ manuallyDisconnected: true, disconnectedBy: "ana" });
    await apply(connections, ended(4, stopped));
    await apply(connections, ordered(5, "Front office", at(6)));
    expect(connections.get("s1")).toMatchObject({
      ...{ manuallyDisconnected: false, disconnectedBy: null },
      connectOrderedBy: "Front office",
    });
  },
);

test.each(["first", "last"])(
  "the event of an order here is the caller's, told %s; the next is somebody else's, however soon",
  async (when) => {
    const { connections, clock } = open();
    const event = ordered(1, "the bridge's key", clock.now());
    if (when === "first") await apply(connections, event);
    await connections.connectOrdered("s1", "ana", 1);
    if (when === "last") await apply(connections, event);
    expect(connections.get("s1")).toMatchObject({ connectOrderedBy: "ana" });
    await apply(connections, ordered(2, "Front office", clock.now()));
    expect(connections.get("s1")).toMatchObject({ connectOrderedBy: "Front office" });
  },
);

test("an order here that changed nothing has no event: the next one told is somebody else's", async () => {
  const { connections, clock } = open();
  await apply(connections, connected(1));
  await connections.connectOrdered("s1", "ana", 1);
  await apply(connections, ended(2, stopped));
  await apply(connections, ordered(3, "Front office", clock.now()));
  expect(connections.get("s1")).toMatchObject({ connectOrderedBy: "Front office" });
});

test("only what was connected once and lost without anybody's will may be reconnected", async () => {
  const { connections } = open();
  const never = aSession({ state: "stopped", reason: null, phoneNumber: null, connectedAt: null });
  await connections.seen(listed(never), 1);
  expect(connections.shouldAutoReconnect("s1")).toBe(false);
  const banned = aSession({ state: "banned", reason: reason("402", "network") });
  await apply(connections, connected(2));
  await apply(connections, ended(3, banned));
  expect(connections.get("s1")?.status).toBe("error");
  expect(connections.shouldAutoReconnect("s1")).toBe(false);
  const expired = aSession({ state: "qr_expired", reason: reason("408", "network") });
  await connections.seen(listed(expired), 4);
  expect(connections.shouldAutoReconnect("s1")).toBe(true);
  await connections.gone("s1");
  expect(connections.shouldAutoReconnect("s1")).toBe(false);
  expect(connections.shouldAutoReconnect("unknown")).toBe(false);
});

test("the hub's list corrects the registry, each field by name, and a list read before is too old", async () => {
  const { connections, state, log } = open();
  expect(await connections.seen(listed(up), 3)).toMatchObject([{ field: "session", to: "connected" }]);
  expect(await connections.seen(listed(up), 4)).toEqual([]);
  await apply(connections, ended(10, stopped));
  expect(await connections.seen(listed(up), 9)).toEqual([]);
  expect(await connections.seen(listed(up), 12)).toMatchObject([
    { field: "status", from: "disconnected", to: "connected" },
    { field: "manuallyDisconnected", from: "true", to: "false" },
  ]);
  expect(await connections.gone("s1")).toMatchObject([
    { field: "status", from: "connected", to: "disconnected" },
    { field: "sessionExists", from: "true", to: "false" },
  ]);
  expect(await connections.gone("s1")).toEqual([]);
  expect(await connections.gone("never-seen")).toEqual([]);
  expect(state.read().corrections).toHaveLength(5);
  expect(log.lines("connection.corrected")).toHaveLength(5);
  expect(log.text()).not.toContain("34600999888");
});

test("the lists stay within their bounds", async () => {
  const { connections, state } = open();
  for (let n = 0; n < 210; n += 1) {
    await apply(connections, connected(2 * n + 1));
    await apply(connections, ended(2 * n + 2, lost));
  }
  expect(state.read().disconnections).toHaveLength(200);
  for (let n = 0; n < 260; n += 1) {
    await connections.seen(listed(up), 1000 + 2 * n);
    await connections.seen(listed(lost), 1001 + 2 * n);
  }
  expect(state.read().corrections).toHaveLength(500);
});

test("the figures count what there is", async () => {
  const { connections, clock } = open();
  const of = (sessionId: string, change: Partial<HubSession>) => listed(aSession({ sessionId, ...change }));
  await connections.seen(of("a", {}), 1);
  await connections.seen(of("b", { state: "banned", connectedAt: new Date(T0.getTime() - hours(30)) }), 1);
  await connections.seen(of("c", { state: "stopped", reason: reason("stopped") }), 1);
  await connections.seen(of("d", {}), 1);
  await apply(connections, {
    ...eventOf({ event: "session.disconnected", data: ended(2, lost).data }, 2),
    sessionId: "d",
  });
  await connections.seen(of("e", {}), 1);
  await connections.gone("e");
  clock.advance(hours(1));
  expect(connections.figures()).toMatchObject({
    total: 4,
    connected: 1,
    inError: 1,
    manuallyDisconnected: 1,
    connectedLast24h: 2,
  });
  expect(connections.list()).toHaveLength(5);
});
