/** Who is still to be looked up: the wish is kept, contacts come in order, and what was asked is counted. */
import { expect, test } from "vitest";
import type { Fact } from "../../../hub/core/facts.ts";
import type { LookUpPlace, Store } from "../../../hub/core/store.ts";
import { aMessageFact, aNewSession, T0_SECONDS } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { Worlds } from "./world.ts";

const person = (n: number): string => `3460011122${n}@s.whatsapp.net`;
const contact = (n: number, name: string): Fact => ({
  kind: "contact",
  jid: person(n),
  change: { name },
  live: false,
});
const wrote = (n: number, after: number): Fact =>
  aMessageFact({ chatId: person(n), timestamp: T0_SECONDS + after });
const saw = (n: number, lookedUpAt: number | null): Fact => ({
  kind: "profile",
  jid: person(n),
  lookedUpAt,
});

/** Everybody not looked up yet, in pages of `limit`. */
async function all(store: Store, limit: number): Promise<string[]> {
  const jids: string[] = [];
  let seen = 0;
  for (let place: LookUpPlace | null = null; ;) {
    const page = await store.lookUps.page({ sessionId: "s1", place, limit });
    jids.push(...page.contacts.map(({ jid }) => jid));
    seen += page.seen;
    expect(page.seen).toBeLessThanOrEqual(limit);
    if (page.place === null) break;
    place = page.place;
  }
  expect(seen).toBeGreaterThanOrEqual(jids.length);
  return jids;
}

export function lookUps(world: Worlds): void {
  test("contacts come with the newest chat first and without a chat by name, each once, whatever the page", async () => {
    const { store, record } = await world();
    await record([contact(1, "Zoe"), contact(2, "Ana"), contact(3, "Bea"), contact(4, "Carla")]);
    await record([wrote(1, 10), wrote(3, 20), wrote(1, 30)]);
    for (const limit of [1, 2, 3, 100])
      expect(await all(store, limit), `pages of ${limit}`).toEqual([1, 3, 2, 4].map(person));
    await record(saw(3, 1_000));
    expect(await all(store, 2)).toEqual([1, 2, 4].map(person));
    await record(saw(3, null));
    expect(await all(store, 2)).toEqual([1, 3, 2, 4].map(person));
  });

  test("no more are looked at than a page has, also of those whose chats came before", async () => {
    const { store, record } = await world();
    await record([contact(1, "Ana"), contact(2, "Bea"), contact(3, "Carla"), wrote(1, 1), wrote(2, 2)]);
    const byName = { name: "", contact: 0 };
    const first = await store.lookUps.page({ sessionId: "s1", place: byName, limit: 2 });
    expect(first).toMatchObject({ contacts: [], seen: 0, place: { name: "bea" } });
    const next = await store.lookUps.page({ sessionId: "s1", place: first.place, limit: 2 });
    expect(next).toEqual({ contacts: [{ jid: person(3), askedAt: null }], seen: 1, place: null });
  });

  test("when somebody was asked about in vain is known", async () => {
    const { store, record, clock } = await world();
    await record([contact(1, "Ana"), contact(2, "Bea"), contact(3, "Carla")]);
    await record(saw(1, clock.now().getTime()));
    clock.advance(hours(1));
    const at = clock.now();
    await store.lookUps.failed("s1", person(2), at);
    expect(await store.inbox.contact("s1", person(2))).toMatchObject({
      lookedUpAt: null,
      askedAt: at.getTime(),
    });
    expect((await store.lookUps.page({ sessionId: "s1", place: null, limit: 1 })).contacts).toEqual([]);
    const { contacts } = await store.lookUps.page({
      ...{ sessionId: "s1", limit: 10 },
      place: { name: "", contact: 0 },
    });
    expect(contacts).toEqual([
      { jid: person(2), askedAt: at.getTime() },
      { jid: person(3), askedAt: null },
    ]);
  });

  test("the questions of a day are counted for each session, whatever becomes of its contacts", async () => {
    const { store, clock, afterKill } = await world();
    await store.sessions.create(aNewSession({ sessionId: "s2" }));
    const day = clock.now();
    expect(await store.lookUps.asked("s1", day)).toBe(0);
    for (const sessionId of ["s1", "s1", "s2"]) await store.lookUps.asking(sessionId, day);
    const next = afterKill === null ? store : await afterKill();
    expect([await next.lookUps.asked("s1", day), await next.lookUps.asked("s2", day)]).toEqual([2, 1]);
    clock.advance(hours(24));
    expect(await next.lookUps.asked("s1", clock.now())).toBe(0);
    await next.lookUps.asking("s1", clock.now());
    expect(await next.lookUps.asked("s1", clock.now())).toBe(1);
    if (next !== store) await next.close();
  });

  test("the widest wish of a session is kept until it is done", async () => {
    const { store, afterKill } = await world();
    await store.sessions.create(aNewSession({ sessionId: "s2" }));
    expect(await store.lookUps.want("s1", 10)).toBe(10);
    expect(await store.lookUps.want("s1", 1_000)).toBe(1_000);
    expect(await store.lookUps.want("s1", 100)).toBe(1_000);
    expect(await store.lookUps.want("s2", 10)).toBe(10);
    expect(await store.lookUps.want("s2", null)).toBe(null);
    expect(await store.lookUps.want("s2", 10)).toBe(null);
    const next = afterKill === null ? store : await afterKill();
    expect(await next.lookUps.wanted()).toEqual([
      { sessionId: "s1", most: 1_000 },
      { sessionId: "s2", most: null },
    ]);
    await next.lookUps.done("s1");
    expect(await next.lookUps.wanted()).toEqual([{ sessionId: "s2", most: null }]);
    if (next !== store) await next.close();
  });
}
