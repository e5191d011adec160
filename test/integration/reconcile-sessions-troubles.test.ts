/** A comparison of sessions that fails, or dies, at any of its steps leaves nothing that the next one would not find again. */
import { describe, expect, test } from "vitest";
import { CrmUnavailable, HubUnavailable } from "../../bridge/errors.ts";
import { mortal } from "../support/mortal.ts";
import { documents, fill, gated, syncWorld, type SyncWorld } from "../support/sync-rig.ts";

const shown = async ({ adapter }: SyncWorld) =>
  (await documents(adapter, "WhatsApp Session")).map(({ status, is_connected: isOn }) => [status, isOn]);

/** A CRM that can be switched off. */
function crmOf({ adapter }: SyncWorld) {
  let isDown = false;
  const gate = () => (isDown ? Promise.reject(new CrmUnavailable("down")) : Promise.resolve());
  return { adapter: gated(adapter, gate), down: (is: boolean) => (isDown = is) };
}

/** Connected in the hub, and told by a webhook that never came; the registry and the CRM know it as disconnected. */
async function cameOn() {
  const world = syncWorld();
  fill(world.hub, { contacts: 2, chats: 1, messages: 1 });
  await world.begin().apply(world.hub.turns("s1", "disconnected"));
  const lost = world.hub.turns("s1", "connected");
  world.hub.store.emit("endpoint.test", "_hub", { hello: true });
  return { world, lost };
}

/** Deleted in the hub; the registry, the CRM and what was compared know it as connected. */
async function wentAway() {
  const world = syncWorld();
  fill(world.hub, { contacts: 1, chats: 1, messages: 1 });
  const before = world.begin();
  await before.queue.start();
  await before.reconcile.sessions();
  await before.queue.idle();
  await before.reconcile.messages("s1");
  world.hub.store.sessions.delete("s1");
  world.hub.store.emit("endpoint.test", "_hub", { hello: true });
  return world;
}

async function isOnAndSynced(world: SyncWorld, bridge: ReturnType<SyncWorld["begin"]>, when: string) {
  expect(await shown(world), when).toEqual([["Connected", 1]]);
  expect(bridge.connections.get("s1")?.status, when).toBe("connected");
  const jobs = bridge.queue.jobs("s1").map(({ reasons, status }) => ({ reasons, status }));
  expect(jobs, when).toEqual([{ reasons: ["connected"], status: "completed" }]);
}

async function isGone(world: SyncWorld, when: string) {
  expect(await shown(world), when).toEqual([["Disconnected", 0]]);
  const { connections, comparisons, syncedUntil, disconnections } = world.state.read();
  expect(connections["s1"], when).toMatchObject({ sessionExists: false, status: "disconnected" });
  expect({ comparisons, syncedUntil }, when).toEqual({ comparisons: {}, syncedUntil: {} });
  expect(disconnections, when).toHaveLength(1);
}

describe("while the CRM is away", () => {
  test("a session that came on is synced when it is back, although its event is older than the comparison", async () => {
    const { world, lost } = await cameOn();
    const { adapter, down } = crmOf(world);
    const bridge = world.begin({ adapter });
    await bridge.queue.start();
    down(true);
    await expect(bridge.apply(lost)).rejects.toThrow("down");
    expect(await bridge.reconcile.sessions()).toEqual([]);
    down(false);
    expect(await bridge.apply(lost)).toEqual({ action: "sync_started" });
    await bridge.reconcile.sessions();
    await bridge.queue.idle();
    await isOnAndSynced(world, bridge, "the CRM is back");
  });

  test("a session that was deleted is ended in the CRM when it is back, with all that is remembered of it", async () => {
    const world = await wentAway();
    const { adapter, down } = crmOf(world);
    const { reconcile } = world.begin({ adapter });
    down(true);
    await reconcile.sessions();
    down(false);
    await reconcile.sessions();
    await isGone(world, "the CRM is back");
  });
});

/** How many steps a comparison has. */
async function stepsOf(world: SyncWorld): Promise<number> {
  const { process, taken } = mortal(world, Infinity);
  await process.reconcile.sessions();
  return taken();
}

describe("a death at every step", () => {
  test("of the comparison that finds a session connected costs no sync and starts no second one", async () => {
    const steps = await stepsOf((await cameOn()).world);
    expect(steps).toBeGreaterThanOrEqual(8);
    for (let step = 0; step < steps; step += 1) {
      const { world, lost } = await cameOn();
      const { process, death } = mortal(world, step);
      await Promise.race([death, process.reconcile.sessions()]);
      const next = world.begin();
      await next.queue.start();
      await next.reconcile.sessions();
      await next.apply(lost);
      await next.queue.idle();
      await isOnAndSynced(world, next, `after step ${step} of ${steps}`);
    }
  });

  test("of the comparison that finds a session deleted leaves it ended", async () => {
    const steps = await stepsOf(await wentAway());
    expect(steps).toBeGreaterThanOrEqual(8);
    for (let step = 0; step < steps; step += 1) {
      const world = await wentAway();
      const { process, death } = mortal(world, step);
      await Promise.race([death, process.reconcile.sessions()]);
      await world.begin().reconcile.sessions();
      await isGone(world, `after step ${step} of ${steps}`);
    }
  });
});

/** A process whose calls all succeed but one. What its state could not keep on the disk counts in memory all the same. */
function stumbling(world: SyncWorld, at: number) {
  let taken = 0;
  const gate = (): Promise<void> => {
    taken += 1;
    return taken - 1 === at ? Promise.reject(new HubUnavailable("it stumbled")) : Promise.resolve();
  };
  return world.begin({
    hub: gated(world.hub, gate),
    adapter: gated(world.adapter, gate),
    state: { ...world.state, update: (change) => world.state.update(change).then(gate) },
  });
}

describe("a failure at any step", () => {
  test("of the comparison that finds a session connected is made good by the next one of the same process", async () => {
    const steps = await stepsOf((await cameOn()).world);
    for (let step = 0; step < steps; step += 1) {
      const { world } = await cameOn();
      const bridge = stumbling(world, step);
      await bridge.reconcile.sessions().catch(() => undefined); // the hub's list failed: there is nothing to compare
      await bridge.reconcile.sessions();
      await bridge.queue.start();
      await bridge.queue.idle();
      await isOnAndSynced(world, bridge, `after step ${step} of ${steps}`);
    }
  });

  test("of the comparison that finds a session deleted is made good by the next one of the same process", async () => {
    const steps = await stepsOf(await wentAway());
    for (let step = 0; step < steps; step += 1) {
      const world = await wentAway();
      const { reconcile } = stumbling(world, step);
      await reconcile.sessions().catch(() => undefined); // the hub's list failed: there is nothing to compare
      await reconcile.sessions();
      await isGone(world, `after step ${step} of ${steps}`);
    }
  });
});
