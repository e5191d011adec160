/** Ratchet and stanza become durable together; a stanza is kept until it is recorded. */
import { expect, test } from "vitest";
import type { RatchetStep } from "../../../hub/core/store.ts";
import { aMessageFact, anIntakeEntry, aNewSession, bytes, T0 } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { Worlds } from "./world.ts";

const step = (change: Partial<RatchetStep>): RatchetStep => ({ keys: [], intake: [], ...change });
const text = (value: Uint8Array | null | undefined): string | null =>
  value === null || value === undefined ? null : Buffer.from(value).toString();

export function authAndIntake(world: Worlds): void {
  test("credentials and keys come back as bytes, each session its own", async () => {
    const { store } = await world();
    await store.sessions.create(aNewSession({ sessionId: "s2" }));
    expect(await store.auth.creds("s1")).toBeNull();
    await store.auth.commit(
      "s1",
      step({
        creds: bytes("creds"),
        keys: [
          { type: "session", id: "a", value: bytes("A") },
          { type: "session", id: "b", value: bytes("B") },
          { type: "pre-key", id: "a", value: bytes("P") },
        ],
      }),
    );
    expect(text(await store.auth.creds("s1"))).toBe("creds");
    const keys = await store.auth.keys("s1", "session", ["b", "a", "c"]);
    expect([...keys].map(([id, value]) => [id, text(value)])).toEqual([
      ["b", "B"],
      ["a", "A"],
    ]);
    expect(await store.auth.creds("s2")).toBeNull();
    expect((await store.auth.keys("s2", "session", ["a"])).size).toBe(0);
  });

  test("a key is replaced and deleted", async () => {
    const { store } = await world();
    const set = (value: Uint8Array | null): Promise<void> =>
      store.auth.commit("s1", step({ keys: [{ type: "session", id: "a", value }] }));
    await set(bytes("1"));
    await set(bytes("2"));
    expect(text((await store.auth.keys("s1", "session", ["a"])).get("a"))).toBe("2");
    await set(null);
    expect((await store.auth.keys("s1", "session", ["a"])).size).toBe(0);
  });

  test("stanza and plaintext are there with the ratchet step, in order of arrival", async () => {
    const { store } = await world();
    const second = anIntakeEntry({ order: 2, stanzaId: "second" });
    const first = anIntakeEntry({ order: 1, stanzaId: "first", participant: "34600@s.whatsapp.net" });
    await store.auth.commit("s1", step({ intake: [second] }));
    await store.auth.commit(
      "s1",
      step({ keys: [{ type: "session", id: "a", value: bytes("A") }], intake: [first] }),
    );

    const open = await store.intake.open("s1");
    expect(open.map(({ stanzaId }) => stanzaId)).toEqual(["first", "second"]);
    expect(open[0]).toMatchObject({ chat: first.chat, participant: first.participant, seenAt: T0 });
    expect(text(open[0]?.stanza)).toBe(text(first.stanza));
    const [plain] = first.plaintexts;
    if (plain === undefined) throw new Error("no plaintext");
    expect(text(await store.intake.plaintext("s1", plain.encId))).toBe(text(plain.sealed));
    expect(await store.intake.plaintext("s1", bytes("other"))).toBeNull();
  });

  test("the same digest twice is one row, and what is new of it is added", async () => {
    const { store } = await world();
    const entry = anIntakeEntry({ plaintexts: [] });
    await store.auth.commit("s1", step({ intake: [entry] }));
    await store.auth.commit(
      "s1",
      step({ intake: [{ ...entry, order: 99, plaintexts: [{ encId: bytes("e"), sealed: bytes("p") }] }] }),
    );
    expect(await store.intake.open("s1")).toHaveLength(1);
    expect(text(await store.intake.plaintext("s1", bytes("e")))).toBe("p");
  });

  test("a recorded stanza is not open any more, and a redelivered one neither", async () => {
    const { store, record } = await world();
    const entry = anIntakeEntry();
    await store.auth.commit("s1", step({ intake: [entry] }));
    await record(aMessageFact(), { closes: [entry.digest] });
    expect(await store.intake.open("s1")).toEqual([]);
    await store.auth.commit("s1", step({ intake: [entry] }));
    expect(await store.intake.open("s1")).toEqual([]);
  });

  test("a stanza without a chat message is closed without a fact", async () => {
    const { store } = await world();
    const [one, two] = [anIntakeEntry(), anIntakeEntry()];
    await store.auth.commit("s1", step({ intake: [one, two] }));
    await store.intake.close("s1", [one.digest]);
    expect(await store.intake.open("s1")).toEqual([expect.objectContaining({ stanzaId: two.stanzaId })]);
  });

  test("blobs go after two days, rows and plaintexts after two weeks, open rows never", async () => {
    const { store, clock } = await world();
    const done = anIntakeEntry();
    const waiting = anIntakeEntry();
    await store.auth.commit("s1", step({ intake: [done, waiting] }));
    await store.intake.close("s1", [done.digest]);
    const encId = done.plaintexts[0]?.encId ?? bytes("");
    const before = (age: number): Date => new Date(clock.now().getTime() - age);
    const prune = (): Promise<number> =>
      store.intake.prune({ blobsBefore: before(hours(48)), rowsBefore: before(hours(14 * 24)), limit: 10 });

    expect(await prune()).toBe(0);
    clock.advance(hours(49));
    expect(await prune()).toBe(1);
    expect(await store.intake.plaintext("s1", encId)).not.toBeNull();
    clock.advance(hours(13 * 24));
    expect(await prune()).toBe(1);
    expect(await store.intake.plaintext("s1", encId)).toBeNull();
    expect(await store.intake.open("s1")).toHaveLength(1);
  });

  test("what is old goes a few rows at a time, the oldest first, each with its plaintext", async () => {
    const { store, clock } = await world();
    const done = Array.from({ length: 5 }, () => anIntakeEntry());
    for (const entry of done) {
      await store.auth.commit("s1", step({ intake: [entry] }));
      await store.intake.close("s1", [entry.digest]);
      clock.advance(1);
    }
    const prune = (): Promise<number> =>
      store.intake.prune({ blobsBefore: clock.now(), rowsBefore: clock.now(), limit: 2 });
    const left = async (): Promise<boolean[]> => {
      const plain = ({ plaintexts: [one] }: (typeof done)[number]) =>
        store.intake.plaintext("s1", one?.encId ?? bytes(""));
      return (await Promise.all(done.map(plain))).map((v) => v !== null);
    };
    expect([await prune(), await left()]).toEqual([4, [false, false, true, true, true]]);
    expect([await prune(), await left()]).toEqual([4, [false, false, false, false, true]]);
    expect([await prune(), await prune()]).toEqual([2, 0]);
    expect(await left()).toEqual([false, false, false, false, false]);
  });

  test("quarantine moves all credentials and keys of one session", async () => {
    const { store, clock } = await world();
    await store.sessions.create(aNewSession({ sessionId: "s2" }));
    for (const id of ["s1", "s2"])
      await store.auth.commit(
        id,
        step({ creds: bytes("creds"), keys: [{ type: "session", id: "a", value: bytes("A") }] }),
      );
    expect(await store.auth.quarantine("s1", "logged out", clock.now())).toMatch(/^qr_[0-9A-Z]{26}$/);
    expect(await store.auth.creds("s1")).toBeNull();
    expect((await store.auth.keys("s1", "session", ["a"])).size).toBe(0);
    expect(text(await store.auth.creds("s2"))).toBe("creds");
    expect(await store.auth.quarantine("s1", "again", clock.now())).toBeNull();
  });
}
