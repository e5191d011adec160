/** What people see of deliveries, send again and give up. */
import { expect, test } from "vitest";
import { newId } from "../../../hub/core/ids.ts";
import type { DeliveryFilter } from "../../../hub/core/store.ts";
import { aMessageFact, aNewEvent, anEndpoint, T0 } from "../../support/builders.ts";
import { minutes, seconds } from "../../support/fixed-clock.ts";
import type { World, Worlds } from "./world.ts";

const chat = (n: number): string => `3460010000${n}@s.whatsapp.net`;
const dead = { state: "dead", lastStatus: 422, lastError: "HTTP 422", failure: "event" } as const;

/** Three messages in each of two chats; those of the first are delivered, dead and pending. */
async function withHistory(world: Worlds): Promise<World & { endpointId: string }> {
  const made = await world();
  const crm = await made.endpoint();
  for (let n = 0; n < 6; n++) {
    await made.record(aMessageFact({ chatId: chat(n % 2) }));
    made.clock.advance(seconds(1));
  }
  const [first, other] = await made.due(crm);
  if (first === undefined || other === undefined) throw new Error("two lanes were due");
  await made.settle([first]);
  await made.settle(await made.due(crm), dead);
  made.store.outbox.release([other.laneId]);
  return { ...made, endpointId: crm.id };
}

export function deliveriesForPeople(world: Worlds): void {
  test("a delivery is shown with its event, its lane and each attempt", async () => {
    const { store, endpointId } = await withHistory(world);
    const { items } = await store.outbox.list({ endpoints: "*", limit: 10, page: 1 });
    expect(items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(items[2]).toEqual({
      n: items[2]?.n,
      seq: 3,
      eventId: items[2]?.eventId,
      event: "message.received",
      sessionId: "s1",
      chatId: chat(0),
      endpointId,
      lane: `s1|${chat(0)}`,
      state: "dead",
      isSending: false,
      attempts: 1,
      nextAttemptAt: null,
      lastStatus: 422,
      lastError: "HTTP 422",
      failure: "event",
      replay: false,
      createdAt: new Date(T0.getTime() + 2000),
      doneAt: null,
    });
    const one = await store.outbox.get(items[2]?.n ?? 0);
    expect(one?.delivery).toEqual(items[2]);
    expect(one?.attempts).toEqual([
      { n: 1, at: new Date(T0.getTime() + 6000), ms: 7, status: 200, error: null, responseHead: "{}" },
    ]);
    expect(one?.body).toContain('"seq":3');
    expect(await store.outbox.get(999)).toBeNull();
  });

  test("lists are filtered, counted and paged", async () => {
    const { store, endpoint, endpointId } = await withHistory(world);
    const other = await endpoint();
    const found = async (filter: object): Promise<number[]> => {
      const { items, total } = await store.outbox.list({ endpoints: "*", limit: 10, page: 1, ...filter });
      expect(total).toBe(items.length);
      expect(await store.outbox.count(filter)).toBe(items.length);
      return items.map(({ seq }) => seq);
    };
    expect(await found({ state: "dead" })).toEqual([3]);
    expect(await found({ state: "pending" })).toEqual([2, 4, 5, 6]);
    expect(await found({ state: "delivered", sessionId: "s1" })).toEqual([1]);
    expect(await found({ state: "retrying" })).toEqual([]);
    expect(await found({ endpointId })).toHaveLength(6);
    expect(await found({ endpointId: other.id })).toEqual([]);
    expect(await found({ endpointId: "ep_other" })).toEqual([]);
    expect(await found({ chatId: chat(1) })).toEqual([2, 4, 6]);
    expect(await found({ sessionId: "s1", chatId: chat(1) })).toEqual([2, 4, 6]);
    expect(await found({ sessionId: "nobody" })).toEqual([]);
    expect(await found({ event: "message.read" })).toEqual([]);
    expect(await found({ since: T0.getTime() + 2000, until: T0.getTime() + 4000 })).toEqual([3, 4, 5]);
    expect(await found({ afterSeq: 4 })).toEqual([5, 6]);
    expect(await found({ afterSeq: 6 })).toEqual([]);

    const reach = await store.outbox.list({ endpoints: [other.id], limit: 10, page: 1 });
    expect(reach).toEqual({ items: [], total: 0, nextCursor: null });
    for (const filter of [{}, { sessionId: "s1" }]) {
      const first = await store.outbox.list({ endpoints: "*", limit: 4, page: 1, ...filter });
      const cursor = first.nextCursor ?? "";
      const rest = await store.outbox.list({ endpoints: "*", limit: 4, page: 1, cursor, ...filter });
      expect([...first.items, ...rest.items].map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(rest.nextCursor).toBeNull();
      await expect(
        store.outbox.list({ endpoints: "*", limit: 4, page: 1, cursor, state: "dead" }),
      ).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    }
  });

  test("one on its way is shown so until its result is on disk, and is not among those that wait", async () => {
    const { store, due, settle, endpointId } = await withHistory(world);
    const found = async (filter: object): Promise<[number, boolean][]> => {
      const { items, total } = await store.outbox.list({
        endpoints: [endpointId],
        limit: 10,
        page: 1,
        ...filter,
      });
      expect(total).toBe(items.length);
      return items.map(({ seq, isSending }) => [seq, isSending]);
    };
    expect(await found({ state: "sending" })).toEqual([]);
    const [head, other] = await due(anEndpoint({ id: endpointId }));
    if (head === undefined || other === undefined) throw new Error("two lanes were due");
    const expected: [number, boolean][] = [
      [head.seq, true],
      [other.seq, true],
    ];
    expect(await found({ state: "sending" })).toEqual(expected.sort(([a], [b]) => a - b));
    expect(await found({ state: "sending", sessionId: "s1" })).toHaveLength(2);
    expect(await found({ state: "sending", sessionId: "nobody" })).toEqual([]);
    expect(await found({ state: "pending" })).toHaveLength(2);
    expect(await found({ state: "pending", sessionId: "s1" })).toHaveLength(2);
    expect((await found({})).filter(([, isSending]) => isSending)).toHaveLength(2);
    expect(await store.outbox.get(head.n)).toMatchObject({ delivery: { isSending: true } });

    await settle([head]);
    store.outbox.release([other.laneId]);
    expect(await found({ state: "sending" })).toEqual([]);
    expect(await found({ state: "pending" })).toHaveLength(3);
  });

  test("giving up what waits means what is on its way as well", async () => {
    const { store, due, settle, clock, endpointId, events } = await withHistory(world);
    const [head] = await due(anEndpoint({ id: endpointId }), 1);
    if (head === undefined) throw new Error("nothing was due");
    expect(await store.outbox.dismiss({ state: "pending" }, clock.now())).toBe(4);
    const before = (await events()).length;
    await settle([head], dead, { news: aNewEvent({ event: "delivery.dead" }) });
    expect(await store.outbox.get(head.n)).toMatchObject({
      delivery: { state: "dismissed", isSending: false },
    });
    expect(await events()).toHaveLength(before);
  });

  test("a replay is the same event again, ahead of what is younger in its lane", async () => {
    const { store, clock, due, settle, endpointId } = await withHistory(world);
    const crm = { id: endpointId };
    const firstN = (await store.outbox.list({ endpoints: "*", limit: 1, page: 1 })).items[0]?.n ?? 0;
    const before = await store.outbox.get(firstN);
    expect(await store.outbox.replay(firstN, clock.now())).toBe(true);
    expect(await store.outbox.replay(firstN, clock.now())).toBe(false);
    const heads = await store.outbox.leaseDue({ endpointId, now: clock.now(), limit: 10 });
    expect(heads.find(({ n }) => n === firstN)).toMatchObject({
      seq: 1,
      replay: true,
      attempts: 0,
      body: before?.body,
      eventId: before?.delivery.eventId,
    });
    await settle(heads);
    expect((await store.outbox.get(firstN))?.delivery).toMatchObject({ state: "delivered", replay: true });
    expect(
      (await store.outbox.leaseDue({ endpointId: crm.id, now: clock.now(), limit: 10 })).map(
        ({ seq }) => seq,
      ),
    ).toEqual([4, 5]);
    expect(await due(await first(store.endpoints.list()))).toEqual([]);
  });

  test("a replay of many is kept until it is done, goes step by step, and passes nothing twice", async () => {
    const { store, clock, record, endpoint, due, settle } = await world();
    const crm = await endpoint();
    for (let n = 0; n < 9; n++) await record(aMessageFact({ chatId: chat(n) }));
    await settle(await due(crm));
    const startedAt = clock.now();
    const asked = { matched: 9, startedAt };
    const job = { ...asked, id: "job_1", filter: { endpointId: crm.id, state: "delivered" as const } };
    expect(await store.outbox.openReplay(job)).toBe(true);
    const sameFilter = { state: "delivered" as const, endpointId: crm.id, sessionId: undefined };
    expect(await store.outbox.openReplay({ ...asked, id: "job_2", filter: sameFilter })).toBe(false);
    expect(await store.outbox.openReplay({ ...asked, id: "job_3", filter: { state: "dead" } })).toBe(true);
    expect(await store.outbox.openReplays()).toEqual(["job_1", "job_3"]);
    // What is delivered after the order was not meant by it.
    await record(aMessageFact({ chatId: chat(0) }));
    await settle(await due(crm));
    const steps: number[] = [];
    for (let isDone = false; !isDone;) {
      const step = await store.outbox.continueReplay("job_1", clock.now(), 4);
      ({ isDone } = step);
      steps.push(step.replayed);
      const finishedAt = isDone ? clock.now() : null;
      expect(await store.outbox.replayJob("job_1")).toEqual({ ...job, replayed: step.replayed, finishedAt });
      await settle(await due(crm));
    }
    expect(steps).toEqual([4, 8, 9]);
    expect(await store.outbox.count({ state: "delivered" })).toBe(10);
    expect(await store.outbox.openReplays()).toEqual(["job_3"]);
    await expect(store.outbox.continueReplay("job_1", clock.now(), 4)).rejects.toThrow();
    expect(await store.outbox.openReplay({ ...job, id: "job_4" })).toBe(true);
    const listed = async (endpoints: "*" | string[]): Promise<string[]> =>
      (await store.outbox.replays({ endpoints, limit: 10, page: 1 })).items.map(({ id }) => id);
    expect(await listed("*")).toEqual(["job_4", "job_3", "job_1"]);
    expect(await listed([crm.id])).toEqual(["job_4", "job_1"]);
    expect(await listed([])).toEqual([]);
    expect(await store.outbox.replayJob("job_5")).toBeNull();
  });

  test("of the replays that ended the newest hundred are kept, and all that are under way", async () => {
    const { store, clock } = await world();
    const open = (n: number): Promise<boolean> =>
      store.outbox.openReplay({
        id: `job_${String(n).padStart(3, "0")}`,
        filter: { afterSeq: n },
        matched: 0,
        startedAt: clock.now(),
      });
    await open(0);
    for (let n = 1; n <= 105; n++) {
      await open(n);
      await store.outbox.continueReplay(`job_${String(n).padStart(3, "0")}`, clock.now(), 1);
    }
    await open(106);
    const { items, total } = await store.outbox.replays({ endpoints: "*", limit: 1, page: 1 });
    expect([items[0]?.id, total]).toEqual(["job_106", 102]);
    expect(await store.outbox.replayJob("job_000")).toMatchObject({ finishedAt: null });
    expect(await store.outbox.replayJob("job_005")).toBeNull();
    expect(await store.outbox.replayJob("job_006")).not.toBeNull();
  });

  test("since a number, of a session, dead ones only, and never what is still owed", async () => {
    const { store, clock } = await withHistory(world);
    const replayed = async (filter: DeliveryFilter): Promise<number> => {
      const id = newId("job", clock.now());
      await store.outbox.openReplay({ id, filter, matched: 0, startedAt: clock.now() });
      return (await store.outbox.continueReplay(id, clock.now(), 100)).replayed;
    };
    expect(await replayed({ afterSeq: 2 })).toBe(1);
    expect(await store.outbox.count({ state: "dead" })).toBe(0);
    expect(await replayed({ sessionId: "s1", state: "delivered" })).toBe(1);
    expect(await replayed({ state: "dead" })).toBe(0);
    expect(await store.outbox.dismiss({ chatId: chat(1) }, clock.now())).toBe(3);
    expect(await replayed({ state: "dismissed" })).toBe(3);
  });

  test("what was given up is neither sent nor waited for", async () => {
    const { store, clock, endpointId } = await withHistory(world);
    expect(await store.outbox.dismiss({ chatId: chat(1) }, clock.now())).toBe(3);
    expect(await store.outbox.dismiss({ state: "dead" }, clock.now())).toBe(1);
    expect(await store.outbox.count({ state: "dismissed" })).toBe(4);
    const heads = await store.outbox.leaseDue({ endpointId, now: clock.now(), limit: 10 });
    expect(heads.map(({ seq }) => seq)).toEqual([5]);
  });

  test("figures: what waits, since when, and how fast it went", async () => {
    const { store, clock, endpoint, endpointId } = await withHistory(world);
    const other = await endpoint();
    clock.advance(seconds(10));
    expect(await store.outbox.stats(null, clock.now())).toEqual({
      pending: 4,
      retrying: 0,
      dead: 1,
      oldestPendingSeconds: 15,
      deliveredLastHour: 1,
      p50Ms: 7,
      p99Ms: 7,
    });
    expect(await store.outbox.stats(endpointId, clock.now())).toMatchObject({ pending: 4 });
    expect(await store.outbox.stats(other.id, clock.now())).toEqual({
      pending: 0,
      retrying: 0,
      dead: 0,
      oldestPendingSeconds: null,
      deliveredLastHour: 0,
      p50Ms: null,
      p99Ms: null,
    });
    clock.advance(minutes(61));
    expect(await store.outbox.stats(null, clock.now())).toMatchObject({ deliveredLastHour: 0, p50Ms: null });
  });
}

async function first<T>(list: Promise<T[]>): Promise<T> {
  const [one] = await list;
  if (one === undefined) throw new Error("the list is empty");
  return one;
}
