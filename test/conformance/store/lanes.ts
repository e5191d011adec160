/** Deliveries leave in order: one on its way per lane, the next when it is done; a lane that waits stops no other. */
import { expect, test } from "vitest";
import { aMessageFact, aNewEvent, T0 } from "../../support/builders.ts";
import { seconds } from "../../support/fixed-clock.ts";
import type { Worlds } from "./world.ts";

const chat = (n: number): string => `3460010000${n}@s.whatsapp.net`;
const later = (ms: number): Date => new Date(T0.getTime() + ms);

export function lanes(world: Worlds): void {
  test("each lane gives its head, once, with the bytes to send", async () => {
    const { store, record, endpoint, due } = await world();
    const crm = await endpoint();
    await record([
      aMessageFact({ id: "A1", chatId: chat(1) }),
      aMessageFact({ id: "A2", chatId: chat(1) }),
      aMessageFact({ id: "B1", chatId: chat(2) }),
    ]);
    const heads = await due(crm);
    expect(heads).toEqual([
      expect.objectContaining({
        seq: 1,
        attempts: 0,
        replay: false,
        event: "message.received",
        sessionId: "s1",
        endpointId: crm.id,
        failure: null,
        hasFollowers: true,
      }),
      expect.objectContaining({ seq: 3, hasFollowers: false }),
    ]);
    expect(heads[0]?.laneId).not.toBe(heads[1]?.laneId);
    expect(heads[0]?.body).toBe((await store.events.after({ after: 0, limit: 1, sessions: "*" }))[0]?.body);
    expect(await due(crm)).toEqual([]);
    expect(await store.outbox.nextDueAt(crm.id)).toBeNull();
  });

  test("a lane goes on when its head is settled", async () => {
    const { store, record, endpoint, due, settle } = await world();
    const crm = await endpoint();
    await record([aMessageFact({ chatId: chat(1) }), aMessageFact({ chatId: chat(1) })]);
    const first = await due(crm);
    expect(await store.outbox.isBlocked(crm.id, T0)).toBe(true);
    await settle(first);
    const second = await due(crm);
    expect(second.map(({ seq }) => seq)).toEqual([2]);
    expect(await store.outbox.isBlocked(crm.id, T0)).toBe(false);
    await settle(second, { state: "dead", lastStatus: 422, lastError: "HTTP 422", failure: "event" });
    expect(await due(crm)).toEqual([]);
    expect(await store.outbox.count({ state: "delivered" })).toBe(1);
    expect(await store.outbox.count({ state: "dead" })).toBe(1);
  });

  test("a head that failed holds its lane until it is due again, and no other lane", async () => {
    const { store, clock, record, endpoint, due, settle } = await world();
    const crm = await endpoint();
    await record([
      aMessageFact({ chatId: chat(1) }),
      aMessageFact({ chatId: chat(1) }),
      aMessageFact({ chatId: chat(2) }),
    ]);
    const [first, other] = await due(crm);
    if (first === undefined || other === undefined) throw new Error("two lanes were due");
    const failed = {
      state: "retrying",
      nextAttemptAt: later(seconds(30)),
      lastStatus: 500,
      lastError: "HTTP 500",
      failure: "endpoint",
    } as const;
    await settle([first], failed);
    await settle([other]);
    expect(await due(crm)).toEqual([]);
    expect(await store.outbox.nextDueAt(crm.id)).toEqual(later(seconds(30)));
    await record(aMessageFact({ chatId: chat(1) }));
    expect(await due(crm)).toEqual([]);
    clock.advance(seconds(30));
    expect(await due(crm)).toEqual([
      expect.objectContaining({ n: first.n, attempts: 1, failure: "endpoint" }),
    ]);
  });

  test("leases end without a trace when nothing was sent", async () => {
    const { store, record, endpoint, due } = await world();
    const crm = await endpoint();
    await record(aMessageFact());
    const heads = await due(crm);
    store.outbox.release(heads.map(({ laneId }) => laneId));
    expect(await due(crm)).toEqual(heads);
  });

  test("a wait that was pushed back is no attempt", async () => {
    const { store, clock, record, endpoint, due, settle } = await world();
    const crm = await endpoint();
    await record(aMessageFact());
    const heads = await due(crm);
    await settle(
      heads,
      { state: "pending", attempts: 0, nextAttemptAt: later(seconds(5)), lastStatus: null },
      { attempt: null },
    );
    expect((await store.outbox.get(heads[0]?.n ?? 0))?.attempts).toEqual([]);
    expect(await due(crm)).toEqual([]);
    clock.advance(seconds(5));
    expect(await due(crm)).toHaveLength(1);
  });

  test("one put aside lets its lane go on and comes back alone at its time", async () => {
    const { store, clock, record, endpoint, due, settle } = await world();
    const crm = await endpoint();
    await record([aMessageFact({ chatId: chat(1) }), aMessageFact({ chatId: chat(1) })]);
    const first = await due(crm);
    await settle(
      first,
      { state: "retrying", nextAttemptAt: later(seconds(30)), failure: "soft" },
      { aside: true },
    );
    const second = await due(crm);
    expect(second.map(({ seq }) => seq)).toEqual([2]);
    await settle(second);
    expect(await store.outbox.nextDueAt(crm.id)).toEqual(later(seconds(30)));
    expect(await store.outbox.count({ state: "retrying" })).toBe(1);
    clock.advance(seconds(30));
    await record(aMessageFact({ chatId: chat(1) }));
    const both = await due(crm);
    expect(both.map(({ seq }) => seq)).toEqual([1, 3]);
    expect(both[0]).toMatchObject({ attempts: 1, failure: "soft" });
    await settle(both.slice(0, 1), {
      state: "retrying",
      nextAttemptAt: later(seconds(300)),
      failure: "soft",
    });
    expect(await due(crm)).toEqual([]);
    clock.advance(seconds(270));
    await settle(await due(crm), { state: "skipped" });
    expect(await store.outbox.nextDueAt(crm.id)).toBeNull();
    expect(await store.outbox.count({ state: "skipped" })).toBe(1);
  });

  test("session events, and everything of an endpoint ordered by session, are one lane", async () => {
    const { store, clock, record, endpoint, due } = await world();
    const byChat = await endpoint();
    const bySession = await endpoint({ ordering: "session" });
    await record([aMessageFact({ chatId: chat(1) }), aMessageFact({ chatId: chat(2) })]);
    await store.events.append("s1", [aNewEvent(), aNewEvent()], clock.now());
    expect((await due(byChat)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect((await due(bySession)).map(({ seq }) => seq)).toEqual([1]);
    const { items } = await store.outbox.list({ endpoints: [bySession.id], limit: 9, page: 1 });
    expect(new Set(items.map(({ lane }) => lane))).toEqual(new Set(["s1|*"]));
  });

  test("the oldest due comes first, at most as many as asked for, also while others are on their way", async () => {
    const { clock, record, endpoint, due } = await world();
    const crm = await endpoint();
    for (let n = 1; n <= 6; n++) {
      await record(aMessageFact({ chatId: chat(n) }));
      clock.advance(seconds(1));
    }
    expect((await due(crm, 2)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await due(crm, 2)).map(({ seq }) => seq)).toEqual([3, 4]);
    expect((await due(crm, 0)).map(({ seq }) => seq)).toEqual([]);
    expect((await due(crm, 9)).map(({ seq }) => seq)).toEqual([5, 6]);
  });

  test("endpoints do not wait for each other", async () => {
    const { record, endpoint, due, settle } = await world();
    const slow = await endpoint();
    const fast = await endpoint();
    await record([aMessageFact({ chatId: chat(1) }), aMessageFact({ chatId: chat(1) })]);
    await due(slow);
    await settle(await due(fast));
    expect((await due(fast)).map(({ seq }) => seq)).toEqual([2]);
  });

  test("what a person dismissed while it was on its way stays dismissed", async () => {
    const { store, clock, record, endpoint, due, settle } = await world();
    const crm = await endpoint();
    await record([aMessageFact({ chatId: chat(1) }), aMessageFact({ chatId: chat(1) })]);
    const onItsWay = await due(crm);
    expect(await store.outbox.dismiss({ n: onItsWay[0]?.n ?? 0 }, clock.now())).toBe(1);
    await settle(onItsWay);
    expect((await store.outbox.get(onItsWay[0]?.n ?? 0))?.delivery.state).toBe("dismissed");
    expect((await due(crm)).map(({ seq }) => seq)).toEqual([2]);
  });

  test("random traffic keeps every lane in order and loses nothing", async () => {
    const seed = Date.now() % 1_000_000;
    const random = mulberry(seed);
    const { store, clock, record, endpoint, due, settle } = await world();
    const crm = await endpoint();
    const sent = new Map<number, number[]>();
    let recorded = 0;
    for (let round = 0; round < 150; round++) {
      if (random() < 0.6) {
        await record(aMessageFact({ chatId: chat(Math.floor(random() * 5)) }));
        recorded++;
      }
      const heads = await due(crm, 1 + Math.floor(random() * 3));
      for (const head of heads) {
        const failed = random() < 0.4;
        if (!failed) sent.set(head.laneId, [...(sent.get(head.laneId) ?? []), head.seq]);
        const at = new Date(clock.now().getTime() + seconds(Math.floor(random() * 5)));
        await settle([head], failed ? { state: "retrying", nextAttemptAt: at, failure: "endpoint" } : {});
      }
      clock.advance(seconds(1));
    }
    for (
      let left = await due(crm);
      left.length > 0 || (await store.outbox.nextDueAt(crm.id)) !== null;
      left = await due(crm)
    ) {
      for (const { laneId, seq } of left) sent.set(laneId, [...(sent.get(laneId) ?? []), seq]);
      await settle(left);
      clock.advance(seconds(1));
    }
    for (const seqs of sent.values()) expect(seqs, `seed ${seed}`).toEqual([...seqs].sort((a, b) => a - b));
    expect([...sent.values()].flat(), `seed ${seed}`).toHaveLength(recorded);
  });
}

/** A small generator, so that a failing run can be repeated from its seed. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
