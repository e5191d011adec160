/** What is old goes, and nothing that is still owed. */
import { expect, test } from "vitest";
import { aMessageFact, aNewEvent } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { World, Worlds } from "./world.ts";

const days = (count: number): number => hours(24 * count);

/** What is older than thirty days; how many went with each batch. */
async function forget({ store, clock }: World, limit = 100): Promise<number[]> {
  const before = new Date(clock.now().getTime() - days(30));
  const batches: number[] = [];
  for (let after: number | null = 0; after !== null;) {
    const { removed, place } = await store.events.forget({ before, after, limit });
    batches.push(removed);
    after = place;
  }
  return batches;
}

const seqsOf = async ({ store }: World): Promise<number[]> =>
  (await store.events.after({ after: 0, limit: 1000, sessions: "*" })).map(({ seq }) => seq);

const append = async ({ store, clock }: World, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await store.events.append("s1", [aNewEvent()], clock.now());
};

export function retention(world: Worlds): void {
  test("events go after their time with all that belongs to them, a batch at a time; younger ones stay", async () => {
    const made = await world();
    const { store, clock, endpoint, due, settle } = made;
    const crm = await endpoint({ ordering: "session" });
    await append(made, 5);
    for (let rest = await due(crm); rest.length > 0; rest = await due(crm)) await settle(rest);
    clock.advance(days(29));
    await append(made, 1);
    await settle(await due(crm));
    expect(await forget(made)).toEqual([0]);
    clock.advance(days(2));
    expect(await forget(made, 3)).toEqual([3, 2]);
    expect(await forget(made, 3)).toEqual([0]);
    expect(await store.events.range()).toEqual({ oldestSeq: 6, latestSeq: 6 });
    const left = await store.outbox.list({ endpoints: "*", limit: 50, page: 1 });
    expect([left.items.map(({ seq }) => seq), left.total]).toEqual([[6], 1]);
  });

  test("an event that is owed or parked stays, whatever its age, and keeps nothing else: the feed begins after it", async () => {
    const made = await world();
    const { store, clock, endpoint, due, settle } = made;
    const crm = await endpoint({ ordering: "session" });
    await append(made, 5);
    const [first] = await due(crm);
    await settle(first === undefined ? [] : [first], { state: "dead", lastError: "refused" });
    for (let n = 2; n <= 4; n++) await settle(await due(crm));
    clock.advance(days(60));
    await append(made, 1);
    expect(await forget(made, 2)).toEqual([1, 2, 0]);
    expect(await store.events.range()).toEqual({ oldestSeq: 6, latestSeq: 6 });
    expect(await seqsOf(made)).toEqual([6]);
    expect(await forget(made, 2)).toEqual([0, 0]);
    const parked = await store.outbox.list({ endpoints: "*", state: "dead", limit: 5, page: 1 });
    expect(parked.items.map(({ seq }) => seq)).toEqual([1]);

    // Both can still be sent, and go when they are.
    expect(await store.outbox.replay(parked.items[0]?.n ?? 0, clock.now())).toBe(true);
    const sent: number[] = [];
    for (let rest = await due(crm); rest.length > 0; rest = await due(crm)) {
      sent.push(...rest.map(({ seq }) => seq));
      await settle(rest);
    }
    expect(sent).toEqual([1, 5, 6]);
    expect(await forget(made)).toEqual([2]);
    const left = await store.outbox.list({ endpoints: "*", limit: 50, page: 1 });
    expect([left.items.map(({ seq }) => seq), left.total]).toEqual([[6], 1]);
  });

  test("what one webhook has got goes although another has it parked; dismissed, it goes for both", async () => {
    const made = await world();
    const { store, clock, endpoint, due, settle } = made;
    const [crm, other] = [await endpoint({ ordering: "session" }), await endpoint({ ordering: "session" })];
    await append(made, 1);
    await settle(await due(crm));
    await settle(await due(other), { state: "dead", lastError: "refused" });
    clock.advance(days(60));
    expect(await forget(made)).toEqual([0]);
    const left = await store.outbox.list({ endpoints: "*", limit: 50, page: 1 });
    expect(left.items.map(({ endpointId, state }) => [endpointId, state])).toEqual([[other.id, "dead"]]);
    await store.outbox.dismiss({ n: left.items[0]?.n ?? 0 }, clock.now());
    expect(await forget(made)).toEqual([1]);
    expect(await store.outbox.count({})).toBe(0);
  });

  test("the number of an event never comes again after all of them went", async () => {
    const made = await world();
    await append(made, 2);
    made.clock.advance(days(31));
    expect(await forget(made)).toEqual([2]);
    expect(await made.store.events.range()).toEqual({ oldestSeq: 3, latestSeq: 2 });
    await append(made, 1);
    expect(await made.store.events.range()).toEqual({ oldestSeq: 3, latestSeq: 3 });
  });

  test("the log of attempts goes after its time, the delivery stays", async () => {
    const made = await world();
    const { store, record, clock, endpoint, due, settle } = made;
    const crm = await endpoint();
    await record(aMessageFact());
    await settle(await due(crm));
    const [delivery] = (await store.outbox.list({ endpoints: "*", limit: 5, page: 1 })).items;
    const before = (): Date => new Date(clock.now().getTime() - days(14));
    expect(await store.outbox.forgetAttempts(before(), 100)).toBe(0);
    clock.advance(days(15));
    expect(await store.outbox.forgetAttempts(before(), 100)).toBe(1);
    expect(await store.outbox.get(delivery?.n ?? 0)).toMatchObject({
      attempts: [],
      delivery: { state: "delivered", attempts: 1 },
    });
  });
}
