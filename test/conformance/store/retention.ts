/** What is old goes, and nothing that is still owed. */
import { expect, test } from "vitest";
import { aMessageFact, aNewEvent } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { World, Worlds } from "./world.ts";

const days = (count: number): number => hours(24 * count);

const forget = async ({ store, clock }: World, limit = 100): Promise<number> =>
  store.events.forget(new Date(clock.now().getTime() - days(30)), limit);

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
    expect(await forget(made)).toBe(0);
    clock.advance(days(2));
    expect(await forget(made, 3)).toBe(3);
    expect(await forget(made, 3)).toBe(2);
    expect(await forget(made, 3)).toBe(0);
    expect(await store.events.range()).toEqual({ oldestSeq: 6, latestSeq: 6 });
    const left = await store.outbox.list({ endpoints: "*", limit: 50, page: 1 });
    expect([left.items.map(({ seq }) => seq), left.total]).toEqual([[6], 1]);
  });

  test("nothing beyond the oldest event that is owed or parked goes, however old it is", async () => {
    const made = await world();
    const { store, clock, endpoint, due, settle } = made;
    const crm = await endpoint({ ordering: "session" });
    await append(made, 2);
    await settle(await due(crm));
    await append(made, 1);
    clock.advance(days(60));
    expect(await forget(made)).toBe(1);
    expect(await store.events.range()).toMatchObject({ oldestSeq: 2 });

    await settle(await due(crm), { state: "dead", lastError: "refused" });
    expect(await forget(made)).toBe(0);
    const [parked] = (await store.outbox.list({ endpoints: "*", state: "dead", limit: 5, page: 1 })).items;
    await store.outbox.dismiss({ n: parked?.n ?? 0 }, clock.now());
    expect(await forget(made)).toBe(1);
    await settle(await due(crm));
    expect(await forget(made)).toBe(1);
    expect(await forget(made)).toBe(0);
  });

  test("the number of an event never comes again after all of them went", async () => {
    const made = await world();
    await append(made, 2);
    made.clock.advance(days(31));
    expect(await forget(made)).toBe(2);
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
