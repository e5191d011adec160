/** What those who watch over the hub ask of the store. */
import { expect, test } from "vitest";
import { noFigures } from "../../../hub/core/session-figures.ts";
import { aMessageFact, anIntakeEntry, aNewSession, T0, T0_SECONDS } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { Worlds } from "./world.ts";

const later = (ms: number): Date => new Date(T0.getTime() + ms);

export function watching(world: Worlds): void {
  test("the oldest stanza that could be read and is not recorded is known, and what cannot be read does not count", async () => {
    const { store } = await world();
    await store.sessions.create(aNewSession({ sessionId: "s2" }));
    expect(await store.intake.oldestReadable("s1")).toBeNull();
    const unread = anIntakeEntry({ seenAt: T0, plaintexts: [] });
    const read = anIntakeEntry({ seenAt: later(2000) });
    const newer = anIntakeEntry({ seenAt: later(3000) });
    await store.auth.commit("s1", { keys: [], intake: [unread, newer, read] });
    expect(await store.intake.oldestReadable("s1")).toEqual(later(2000));
    expect(await store.intake.oldestReadable("s2")).toBeNull();
    expect(await store.intake.countOpen()).toBe(3);
    await store.intake.close("s1", [read.digest]);
    expect(await store.intake.oldestReadable("s1")).toEqual(later(3000));
    expect(await store.intake.countOpen()).toBe(2);
  });

  test("it is known when others wrote, newest first", async () => {
    const { store, clock } = await world();
    const facts = [
      aMessageFact({ timestamp: T0_SECONDS }),
      aMessageFact({ timestamp: T0_SECONDS + 60 }),
      aMessageFact({ timestamp: T0_SECONDS + 90, fromMe: true }),
      aMessageFact({ timestamp: T0_SECONDS - 60 }),
    ];
    await store.inbox.record({ sessionId: "s1", facts, closes: [], now: clock.now() });
    expect(await store.inbox.arrivals("s1", T0_SECONDS, 10)).toEqual([T0_SECONDS + 60, T0_SECONDS]);
    expect(await store.inbox.arrivals("s1", 0, 1)).toEqual([T0_SECONDS + 60]);
  });

  test("figures come back as they were saved, each session its own", async () => {
    const { store } = await world();
    await store.sessions.create(aNewSession({ sessionId: "s2" }));
    expect(await store.figures.get("s1")).toBeNull();
    await store.figures.save("s1", { ...noFigures, attempts: 1 });
    await store.figures.save("s1", { ...noFigures, attempts: 2, scanToOpenMs: [250] });
    expect(await store.figures.get("s1")).toEqual({ ...noFigures, attempts: 2, scanToOpenMs: [250] });
    expect(await store.figures.get("s2")).toBeNull();
  });

  test("a mark says when something was last done, until it is old", async () => {
    const { store } = await world();
    expect(await store.marks.get("a")).toBeNull();
    await store.marks.set("a", T0);
    await store.marks.set("a", later(1000));
    await store.marks.set("b", later(hours(2)));
    expect(await store.marks.get("a")).toEqual(later(1000));
    expect(await store.marks.forget(later(hours(1)))).toBe(1);
    expect(await store.marks.get("a")).toBeNull();
    expect(await store.marks.get("b")).toEqual(later(hours(2)));
  });

  test("marks are found by how their names begin, and none else", async () => {
    const { store } = await world();
    for (const name of ["k:s1:", "k:s1:KIND", "k:s1", "k:s10:KIND", "k:s1;", "K:s1:x"])
      await store.marks.set(name, T0);
    await store.marks.set("k:s1:ñ", later(1000));
    const found = await store.marks.named("k:s1:");
    expect(found.map(({ name }) => name).sort()).toEqual(["k:s1:", "k:s1:KIND", "k:s1:ñ"]);
    expect(found.find(({ name }) => name === "k:s1:ñ")?.at).toEqual(later(1000));
    expect(await store.marks.named("none")).toEqual([]);
  });

  test("letters wait in their order until they are on their way, the newest few hundred of them", async () => {
    const { store } = await world();
    expect(await store.letters.held()).toEqual([]);
    for (const subject of ["a", "b", "c"])
      await store.letters.hold({ subject, text: `about ${subject}` }, T0);
    const [first, second] = await store.letters.held();
    expect(first).toMatchObject({ subject: "a", text: "about a" });
    await store.letters.sent(second?.n ?? 0);
    expect((await store.letters.held()).map(({ subject }) => subject)).toEqual(["c"]);
    for (let n = 0; n < 210; n++) await store.letters.hold({ subject: String(n), text: "" }, T0);
    const held = await store.letters.held();
    expect([held.length, held[0]?.subject, held.at(-1)?.subject]).toEqual([200, "10", "209"]);
  });

  test("a reason can be a line of the timeline although the state stays", async () => {
    const { store } = await world();
    const session = await store.sessions.get("s1");
    if (session === null) throw new Error("not there");
    const reason = { code: "deaf", text: "First.", blame: "whatsapp", advice: "", at: T0 } as const;
    await store.sessions.save({ ...session, state: "degraded", reason }, [], { noted: true });
    await store.sessions.save({ ...session, state: "degraded", reason: { ...reason, text: "Second." } }, [], {
      noted: true,
    });
    const { items } = await store.sessions.timeline("s1", { limit: 2, page: 1 });
    expect(items.map(({ type, text }) => `${type}: ${text}`)).toEqual([
      "degraded: Second.",
      "degraded: First.",
    ]);
  });
}
