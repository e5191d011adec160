/** The feed: ascending, gapless, the same bytes for everybody. */
import { expect, test } from "vitest";
import { HUB_SESSION } from "../../../hub/contract/events.ts";
import { aMessageFact, aNewEvent, aNewSession, T0 } from "../../support/builders.ts";
import { parseEvent, type Worlds } from "./world.ts";

export function eventLog(world: Worlds): void {
  test("an appended event has its number, its bytes and its deliveries at once", async () => {
    const { store, clock, endpoint } = await world();
    const crm = await endpoint();
    const notBefore = new Date(clock.now().getTime() + 5000);
    const [event] = await store.events.append("s1", [aNewEvent({ notBefore })], clock.now());
    expect(event).toMatchObject({
      seq: 1,
      event: "session.connected",
      sessionId: "s1",
      timestamp: T0.toISOString(),
    });
    const [row] = await store.events.after({ after: 0, limit: 10, sessions: ["s1"] });
    expect(parseEvent(row?.body ?? "")).toEqual(event);
    expect(row?.body).toMatch(
      /^\{"id":"evt_[0-9A-Z]{26}","seq":1,"event":"session.connected","sessionId":"s1","timestamp":"/,
    );
    expect(await store.events.byId(event?.id ?? "")).toEqual({
      seq: 1,
      event: "session.connected",
      sessionId: "s1",
      body: row?.body,
    });
    expect(await store.events.byId("evt_other")).toBeNull();
    expect(await store.outbox.nextDueAt(crm.id)).toEqual(notBefore);
  });

  test("the hub's own events belong to no session and go to who hears all sessions", async () => {
    const { store, clock, endpoint } = await world();
    const all = await endpoint();
    const one = await endpoint({ sessions: ["s1"] });
    await store.events.append(
      HUB_SESSION,
      [aNewEvent({ event: "delivery.dead", data: { deliveryId: "x" } })],
      clock.now(),
    );
    const [row] = await store.events.after({ after: 0, limit: 10, sessions: "*" });
    expect(parseEvent(row?.body ?? "")).toMatchObject({ sessionId: "_hub", data: { session_db_id: 0 } });
    expect(await store.events.after({ after: 0, limit: 10, sessions: ["s1"] })).toEqual([]);
    expect(await store.outbox.count({ endpointId: all.id, sessionId: HUB_SESSION })).toBe(1);
    expect(await store.outbox.count({ endpointId: one.id })).toBe(0);
  });

  test("a page begins after its cursor, ascends, and holds the sessions and types asked for", async () => {
    const { store, record, clock } = await world();
    for (const sessionId of ["s2", "s3"]) await store.sessions.create(aNewSession({ sessionId }));
    for (let round = 0; round < 4; round++)
      for (const sessionId of ["s1", "s2", "s3"]) {
        await record(aMessageFact(), { sessionId });
        await store.events.append(sessionId, [aNewEvent()], clock.now());
      }
    const seqs = async (query: object): Promise<number[]> =>
      (await store.events.after({ after: 0, limit: 100, sessions: "*", ...query })).map(({ seq }) => seq);
    expect(await seqs({})).toEqual(Array.from({ length: 24 }, (_, n) => n + 1));
    expect(await seqs({ after: 5, limit: 3 })).toEqual([6, 7, 8]);
    expect(await seqs({ sessions: ["s2"] })).toEqual([3, 4, 9, 10, 15, 16, 21, 22]);
    expect(await seqs({ sessions: ["s3", "s1", "s3", "nobody"], limit: 6 })).toEqual([1, 2, 5, 6, 7, 8]);
    expect(await seqs({ sessions: ["s1"], types: ["session.connected"] })).toEqual([2, 8, 14, 20]);
    expect(await seqs({ types: ["message.received"], after: 20 })).toEqual([21, 23]);
    expect(await seqs({ sessions: [] })).toEqual([]);
    expect(await store.events.range()).toEqual({ oldestSeq: 1, latestSeq: 24 });
  });

  test("numbers have no gap in commit order, whoever writes", async () => {
    const { store, record, clock } = await world();
    const writes = Array.from({ length: 50 }, (_, n) =>
      n % 2 === 0
        ? record([aMessageFact(), aMessageFact()])
        : store.events.append("s1", [aNewEvent()], clock.now()),
    );
    await Promise.all(writes);
    const rows = await store.events.after({ after: 0, limit: 1000, sessions: "*" });
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 75 }, (_, n) => n + 1));
    expect(rows.map(({ body }) => parseEvent(body).seq)).toEqual(rows.map(({ seq }) => seq));
  });

  test("an empty log knows where it will begin", async () => {
    const { store } = await world();
    expect(await store.events.range()).toEqual({ oldestSeq: 1, latestSeq: 0 });
    expect(await store.events.after({ after: 0, limit: 5, sessions: "*" })).toEqual([]);
  });
}
