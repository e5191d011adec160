/** The hub's sessions beside the registry and the CRM: each difference is corrected, also what happened while nobody looked. */
import { describe, expect, test } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { createAfterReset } from "../../bridge/after-reset.ts";
import { fill, syncWorld } from "../support/sync-rig.ts";
import { until } from "../support/until.ts";

const shownSession = async ({ documents }: CrmAdapter) => {
  const wanted = {
    doctype: "WhatsApp Session",
    fields: ["*"],
    filters: [],
    orderBy: [],
    start: 0,
    limit: 10,
  };
  return (await documents?.list(wanted))?.[0];
};

describe("sessions of the hub", () => {
  test("of the hub are corrected in the registry and in the CRM, and one that came on is synced", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 2, chats: 1, messages: 1 });
    const { queue, reconcile, connections, apply } = world.begin();
    await queue.start();
    await apply(world.hub.turns("s1", "disconnected"));
    expect(connections.get("s1")?.status).toBe("disconnected");
    world.hub.turns("s1", "connected"); // and its webhook never comes
    const corrections = await reconcile.sessions();
    expect(corrections).toContainEqual(
      expect.objectContaining({ sessionId: "s1", field: "status", from: "disconnected", to: "connected" }),
    );
    await queue.idle();
    expect(queue.jobs("s1")[0]).toMatchObject({ reasons: ["connected"], status: "completed" });
    expect(connections.get("s1")?.status).toBe("connected");
    expect(await reconcile.sessions()).toEqual([]);
  });

  test("of a hub met for the first time are synced once: a sync of all brings what theirs would, one of a part does not", async () => {
    const contactsOnly = { contacts: true, chats: false, messages: false };
    for (const parts of [undefined, contactsOnly]) {
      const world = syncWorld();
      fill(world.hub, { contacts: 2, chats: 1, messages: 1 });
      const { queue, reconcile } = world.begin();
      await queue.start();
      await queue.request("s1", "manual", parts);
      await queue.idle();
      await reconcile.sessions();
      await queue.idle();
      const reasons = queue.jobs("s1").map((job) => job.reasons);
      expect(reasons).toEqual(parts === undefined ? [["manual"]] : [["manual"], ["connected"]]);
      expect(await world.adapter.totals("s1")).toMatchObject({ messages: 1 });
    }
  });

  test("that the hub has no more are marked so, in the registry and in the CRM", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 1, chats: 1, messages: 1 });
    const { reconcile, connections, adapter } = { ...world.begin(), adapter: world.adapter };
    await reconcile.sessions();
    world.hub.store.sessions.delete("s1");
    world.hub.store.emit("endpoint.test", "_hub", { hello: true });
    expect((await reconcile.sessions()).map(({ field }) => field)).toContain("sessionExists");
    expect(connections.get("s1")).toMatchObject({ sessionExists: false, status: "disconnected" });
    expect(await shownSession(adapter)).toMatchObject({ status: "Disconnected", is_connected: 0 });
  });

  test("made by order while the list is on its way are not taken for gone ones", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 1, chats: 1, messages: 1 });
    const { reconcile, connections } = world.begin();
    world.hub.after = async ({ method }) => {
      if (method !== "sessions") return;
      world.hub.store.addSession({ sessionId: "s2" });
      await connections.createOrdered("s2", "crm");
    };
    await reconcile.sessions();
    expect(connections.get("s2")).toMatchObject({ sessionExists: true, createdBy: "crm" });
  });

  test("that went away while the bridge was down are marked so by the next process, under their name", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 1, chats: 1, messages: 1 });
    await world.begin().reconcile.sessions();
    const before = await shownSession(world.adapter);
    expect(before).toMatchObject({ is_connected: 1 });
    world.hub.store.sessions.delete("s1");
    world.hub.store.emit("endpoint.test", "_hub", { hello: true });
    await world.begin().reconcile.sessions();
    const name = before?.["session_name"];
    expect(await shownSession(world.adapter)).toMatchObject({
      status: "Disconnected",
      is_connected: 0,
      session_name: name,
    });
  });

  test("that are made while the others are compared are not taken for gone", async () => {
    const world = syncWorld();
    world.hub.store.addSession({ sessionId: "s1" });
    let isMade = false;
    const crm = {
      ...world.adapter,
      upsertSession: async (...args: Parameters<typeof world.adapter.upsertSession>) => {
        if (!isMade) {
          isMade = true;
          world.hub.store.addSession({ sessionId: "s2" });
          await apply(world.hub.turns("s2", "connected"));
        }
        return world.adapter.upsertSession(...args);
      },
    };
    const { reconcile, connections, apply } = world.begin({ adapter: crm });
    await reconcile.sessions();
    expect(connections.get("s2")).toMatchObject({ sessionExists: true, status: "connected" });
    expect(connections.figures().lastDisconnections).toEqual([]);
  });

  test("are known once a hub is met for the first time, though it goes away in the sync that follows", async () => {
    const world = syncWorld();
    fill(world.hub, { contacts: 1, chats: 1, messages: 1 });
    world.hub.store.addSession({ sessionId: "s2" });
    world.hub.turns("s2", "disconnected");
    const { queue, connections } = world.begin();
    const parts = { ...world, connections, queue, clock: world.time.clock };
    await createAfterReset({ ...parts, syncOnConnect: false })("new_hub");
    expect(connections.list().map(({ sessionId, status }) => [sessionId, status])).toEqual([
      ["s1", "connected"],
      ["s2", "disconnected"],
    ]);
    expect(queue.jobs()).toEqual([]);
    await createAfterReset({ ...parts, syncOnConnect: true })("new_hub");
    expect(queue.jobs().map(({ sessionId }) => sessionId)).toEqual(["s1"]);
  });

  test("are looked at no more once the bridge is stopped, which waits for the one at hand", async () => {
    const world = syncWorld();
    for (const sessionId of ["s1", "s2"]) world.hub.store.addSession({ sessionId });
    const written: string[] = [];
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const crm = {
      ...world.adapter,
      upsertSession: async (...args: Parameters<typeof world.adapter.upsertSession>) => {
        written.push(args[0].sessionId);
        await held;
        return world.adapter.upsertSession(...args);
      },
    };
    const { reconcile, connections } = world.begin({ adapter: crm });
    const comparing = reconcile.sessions();
    await until("the first one is being written", () => written.length > 0);
    const stopping = reconcile.stop().then(() => connections.list().map(({ sessionId }) => sessionId));
    letGo();
    expect(await stopping).toEqual(["s1"]);
    await comparing;
    expect(written).toEqual(["s1"]);
  });

  test("are all looked at although one of them cannot be written", async () => {
    const world = syncWorld();
    for (const sessionId of ["s1", "s2"]) world.hub.store.addSession({ sessionId });
    let isDown = true;
    const crm = {
      ...world.adapter,
      upsertSession: (...args: Parameters<typeof world.adapter.upsertSession>) =>
        isDown && args[0].sessionId === "s1"
          ? Promise.reject(new CrmUnavailable("down"))
          : world.adapter.upsertSession(...args),
    };
    const { reconcile, connections } = world.begin({ adapter: crm });
    await reconcile.sessions();
    expect(connections.list().map(({ sessionId }) => sessionId)).toEqual(["s2"]);
    isDown = false;
    await reconcile.sessions();
    expect(connections.list()).toHaveLength(2);
    expect(await world.adapter.documents?.count({ doctype: "WhatsApp Session", filters: [] })).toBe(2);
  });
});
