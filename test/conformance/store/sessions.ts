/** Accounts keep their integer, their timeline and their events. */
import { expect, test } from "vitest";
import { aNewEvent, aNewSession, T0 } from "../../support/builders.ts";
import { names, type Worlds } from "./world.ts";

export function sessions(world: Worlds): void {
  test("come back as they were saved", async () => {
    const { store } = await world({ withSession: false });
    const created = await store.sessions.create(
      aNewSession({
        reason: { code: "428", text: "lost", blame: "network", advice: "wait", at: T0 },
        lostAt: T0,
        connectedAt: null,
        lid: null,
      }),
    );
    expect(created).toEqual({
      id: 1,
      ...aNewSession({ lid: null, connectedAt: null, lostAt: T0, reason: created?.reason ?? null }),
    });
    expect(await store.sessions.get("s1")).toEqual(created);
    expect(await store.sessions.list()).toEqual([created]);
  });

  test("an id in use is refused, a deleted one comes back with its integer", async () => {
    const { store } = await world({ withSession: false });
    const first = await store.sessions.create(aNewSession({ sessionId: "a" }));
    await store.sessions.create(aNewSession({ sessionId: "b" }));
    expect(await store.sessions.create(aNewSession({ sessionId: "a" }))).toBeNull();
    if (first === null) throw new Error("not created");

    await store.sessions.save({ ...first, deletedAt: T0 }, []);
    expect(await store.sessions.get("a")).toBeNull();
    expect((await store.sessions.list()).map(({ sessionId }) => sessionId)).toEqual(["b"]);
    expect((await store.sessions.list({ includeDeleted: true })).map(({ id }) => id)).toEqual([1, 2]);

    const again = await store.sessions.create(aNewSession({ sessionId: "a", sessionName: "again" }));
    expect(again).toMatchObject({ id: 1, sessionName: "again", deletedAt: null });
    expect(await store.sessions.create(aNewSession({ sessionId: "c" }))).toMatchObject({ id: 3 });
  });

  test("a session is made with its events, or without both", async () => {
    const { store, events } = await world({ withSession: false });
    const news = aNewEvent({ event: "bot.status", data: { enabled: true } });
    await store.sessions.create(aNewSession({ sessionId: "a" }), [news]);
    await store.sessions.create(aNewSession({ sessionId: "a" }), [news]);
    expect(await events()).toMatchObject([
      { event: "bot.status", sessionId: "a", data: { session_db_id: 1, enabled: true } },
    ]);
  });

  test("changing what was read changes nothing that is stored", async () => {
    const { store } = await world();
    const read = await store.sessions.get("s1");
    if (read === null) throw new Error("not there");
    read.state = "banned";
    read.settings.bot.enabled = true;
    expect(await store.sessions.get("s1")).toMatchObject({
      state: "connected",
      settings: { bot: { enabled: false } },
    });
  });

  test("a state and its events are one write", async () => {
    const { store, events, endpoint } = await world();
    await endpoint();
    const session = await store.sessions.get("s1");
    if (session === null) throw new Error("not there");
    await store.sessions.save({ ...session, state: "reconnecting" }, [
      aNewEvent({ event: "session.disconnected", data: { status: "connecting" } }),
    ]);
    const [event] = await events();
    expect(event).toMatchObject({ event: "session.disconnected", sessionId: "s1", seq: 1 });
    expect(Object.keys(event?.data ?? {})).toEqual(["sessionId", "session_db_id", "status"]);
    expect(await store.outbox.count({ state: "pending" })).toBe(1);
  });

  test("each change of state is one line of the timeline, newest first", async () => {
    const { store, clock } = await world();
    const session = await store.sessions.get("s1");
    if (session === null) throw new Error("not there");
    clock.advance(1000);
    const reason = {
      code: "428",
      text: "The network went away.",
      blame: "network",
      advice: "",
      at: T0,
    } as const;
    await store.sessions.save({ ...session, state: "reconnecting", reason }, []);
    await store.sessions.save({ ...session, state: "reconnecting", reason, pushName: "Other" }, []);
    clock.advance(1000);
    await store.sessions.save({ ...session, state: "connected" }, []);

    const first = await store.sessions.timeline("s1", { limit: 2, page: 1 });
    expect(first.items).toEqual([
      { at: new Date(T0.getTime() + 2000), type: "connected", text: "connected", reason: null },
      {
        at: new Date(T0.getTime() + 1000),
        type: "reconnecting",
        text: "The network went away.",
        reason: "428",
      },
    ]);
    expect(first.total).toBe(3);
    const cursor = first.nextCursor ?? "";
    const rest = await store.sessions.timeline("s1", { limit: 2, page: 1, cursor });
    expect(rest.items.map(({ type }) => type)).toEqual(["connected"]);
    expect(rest.nextCursor).toBeNull();
  });

  test("the timeline also tells what is no change of state", async () => {
    const { store } = await world();
    await store.sessions.note("s1", { type: "order", text: "restart, by the key CRM", reason: null });
    const { items, total } = await store.sessions.timeline("s1", { limit: 1, page: 1 });
    expect([items[0], total]).toMatchObject([{ type: "order", text: "restart, by the key CRM" }, 2]);
    await expect(store.sessions.note("nobody", { type: "x", text: "x", reason: null })).rejects.toMatchObject(
      { code: "SESSION_NOT_FOUND" },
    );
  });

  test("a number is held by the sessions that say it and are not deleted and not logged out", async () => {
    const { store } = await world();
    expect(await store.sessions.holdersOf("34600999888", "s1")).toEqual([]);
    expect(await store.sessions.holdersOf("34600999888", "s2")).toMatchObject([{ sessionId: "s1" }]);
    expect(await store.sessions.holdersOf("34600000000", "s2")).toEqual([]);
    const session = await store.sessions.get("s1");
    if (session === null) throw new Error("not there");
    await store.sessions.save({ ...session, state: "logged_out" }, []);
    expect(await store.sessions.holdersOf("34600999888", "s2")).toEqual([]);
    await store.sessions.save({ ...session, deletedAt: T0 }, []);
    expect(await store.sessions.holdersOf("34600999888", "s2")).toEqual([]);
  });

  test("whoever asks about a session that was never there is told so", async () => {
    const { store, record } = await world();
    await expect(record([], { sessionId: "nobody" })).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await expect(store.auth.creds("nobody")).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect(await store.sessions.get("nobody")).toBeNull();
  });

  test("a failed save tells nothing", async () => {
    const { store, events } = await world();
    const session = await store.sessions.get("s1");
    if (session === null) throw new Error("not there");
    await expect(
      // A name that is not text cannot be stored.
      store.sessions.save({ ...session, sessionId: "s9" }, [aNewEvent()]),
    ).rejects.toThrow();
    expect(names(await events())).toEqual([]);
    expect((await store.events.range()).latestSeq).toBe(0);
  });
}
