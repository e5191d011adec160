/** Sessions that are made and deleted again and again: the bridge remembers the last ones, and asks the CRM for none of them. */
import { expect, test } from "vitest";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { openBridgeRig } from "../support/bridge-rig.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { fill, syncWorld } from "../support/sync-rig.ts";

function aWorld() {
  const world = syncWorld();
  const { queue, reconcile, connections } = world.begin();
  const make = async (sessionId: string): Promise<void> => {
    fill(world.hub, { contacts: 1, chats: 1, messages: 1, sessionId });
    await reconcile.sessions();
    await queue.idle();
  };
  const remove = async (...sessionIds: string[]): Promise<void> => {
    for (const sessionId of sessionIds) world.hub.store.sessions.delete(sessionId);
    world.hub.store.emit("endpoint.test", "_hub", { hello: true });
    await reconcile.sessions();
  };
  return { ...world, queue, reconcile, connections, make, remove };
}

test("jobs of a session that is gone go with it, those of the others stay", async () => {
  const { queue, make, remove } = aWorld();
  await queue.start();
  await make("stays");
  await make("goes");
  expect(queue.jobs().map(({ sessionId }) => sessionId)).toEqual(["stays", "goes"]);
  await remove("goes");
  expect(queue.jobs().map(({ sessionId }) => sessionId)).toEqual(["stays"]);
});

test("a session that comes back is synced as a new one", async () => {
  const { queue, connections, make, remove } = aWorld();
  await queue.start();
  await make("s1");
  await remove("s1");
  await make("s1");
  expect(connections.get("s1")).toMatchObject({ sessionExists: true, status: "connected" });
  expect(queue.jobs("s1")).toMatchObject([{ status: "completed" }]);
});

test("the last 200 that went are remembered, and of those before nothing is kept", async () => {
  const { queue, connections, make, state, hub } = aWorld();
  await queue.start();
  const names = Array.from({ length: 205 }, (_, n) => `t${n}x`);
  for (const sessionId of names) hub.store.addSession({ sessionId, status: "disconnected" });
  await make("stays");
  // A job that was under way when its session went comes to its end later, and is kept then.
  await queue.request("t204x", "manual");
  await queue.idle();
  expect(queue.jobs("t204x")).toMatchObject([{ status: "failed" }]);
  const order = names.toReversed();
  for (const sessionId of order) await connections.gone(sessionId);
  const gone = connections.list().filter(({ sessionExists }) => !sessionExists);
  expect(gone.map(({ sessionId }) => sessionId)).toEqual(order.slice(5));
  expect(connections.get("stays")).toMatchObject({ sessionExists: true });
  expect(queue.jobs().map(({ sessionId }) => sessionId)).toEqual(["stays"]);
  expect(JSON.stringify(state.read().connections).length).toBeLessThan(100_000);
});

test("get_sync_status of all asks the CRM for none that is gone, and of one by its name it does", async () => {
  const counted: string[] = [];
  const adapter = createMemoryAdapter({ clock: fixedClock() });
  const totals = (sessionId: string) => {
    counted.push(sessionId);
    return adapter.totals(sessionId);
  };
  const rig = await openBridgeRig({
    given: (hub) => {
      for (const sessionId of ["stays", "goes"]) fill(hub, { contacts: 1, chats: 1, messages: 1, sessionId });
    },
    overrides: { adapter: { ...adapter, totals } },
  });
  await rig.bridge.idle();
  rig.hub.store.sessions.delete("goes");
  rig.hub.store.emit("endpoint.test", "_hub", { hello: true });
  await rig.bridge.reconcile.sessions();
  counted.length = 0;
  const all = await rig.method("api.sync.get_sync_status");
  expect(all.message["sessions"]).toMatchObject([
    { session: "stays", total_contacts: 1 },
    { session: "goes", total_contacts: null, is_connected: false },
  ]);
  expect(counted).toEqual(["stays"]);
  const one = await rig.method("api.sync.get_sync_status", { session_name: "goes" });
  expect(one.message["sessions"]).toMatchObject([{ session: "goes", total_contacts: 1 }]);
});
