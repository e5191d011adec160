/** What another process finds after this one was killed. */
import { expect, test } from "vitest";
import type { Store } from "../../../hub/core/store.ts";
import { aMessage, aMessageFact, aNewEvent, anIntakeEntry, bytes, T0 } from "../../support/builders.ts";
import { seconds } from "../../support/fixed-clock.ts";
import type { World, Worlds } from "./world.ts";

async function killable(world: Worlds): Promise<World & { killed: () => Promise<Store> }> {
  const made = await world();
  if (made.afterKill === null) throw new Error("nothing outlives the process here");
  return { ...made, killed: made.afterKill };
}

export function crashes(world: Worlds): void {
  test("everything that was answered is there, with its numbers", async () => {
    const { store, record, endpoint, clock, killed } = await killable(world);
    await endpoint();
    const message = aMessage();
    await record({ kind: "message", message, live: true });
    await store.auth.commit("s1", {
      creds: bytes("creds"),
      keys: [{ type: "session", id: "a", value: bytes("A") }],
      intake: [anIntakeEntry({ stanzaId: "open" })],
    });
    const identity = await store.identity();

    const after = await killed();
    expect(await after.inbox.message("s1", message.id)).toEqual(message);
    expect(Buffer.from((await after.auth.creds("s1")) ?? []).toString()).toBe("creds");
    expect((await after.intake.open("s1")).map(({ stanzaId }) => stanzaId)).toEqual(["open"]);
    expect(await after.identity()).toEqual(identity);
    const recorded = await after.inbox.record({
      sessionId: "s1",
      facts: [aMessageFact()],
      closes: [],
      now: clock.now(),
    });
    expect(recorded.lastSeq).toBe(2);
  });

  test("stanzas of the life before come before those of this one", async () => {
    const { store, killed } = await killable(world);
    await store.auth.commit("s1", { keys: [], intake: [anIntakeEntry({ order: 50, stanzaId: "before" })] });
    const after = await killed();
    await after.auth.commit("s1", { keys: [], intake: [anIntakeEntry({ order: 1, stanzaId: "now" })] });
    expect((await after.intake.open("s1")).map(({ stanzaId }) => stanzaId)).toEqual(["before", "now"]);
  });

  test("that an event was given up is told, whenever the process ends after it", async () => {
    const { record, endpoint, due, settle, clock, killed } = await killable(world);
    const crm = await endpoint();
    const other = await endpoint({ events: ["delivery.dead"] });
    await record(aMessageFact());
    const news = aNewEvent({ event: "delivery.dead", data: { seq: 1 }, exceptEndpoint: crm.id });
    await settle(await due(crm), { state: "dead" }, { news });

    const after = await killed();
    expect(await after.outbox.count({ state: "dead" })).toBe(1);
    const [told] = await after.outbox.leaseDue({ endpointId: other.id, now: clock.now(), limit: 9 });
    expect(told).toMatchObject({ event: "delivery.dead", sessionId: "s1", seq: 2 });
    expect(await after.outbox.leaseDue({ endpointId: crm.id, now: clock.now(), limit: 9 })).toEqual([]);
  });

  test("what was on its way is due again, in order, with the same bytes", async () => {
    const { record, endpoint, due, settle, clock, killed } = await killable(world);
    const crm = await endpoint();
    await record([aMessageFact(), aMessageFact()]);
    await settle(await due(crm), { state: "retrying", nextAttemptAt: new Date(T0.getTime() + seconds(5)) });
    clock.advance(seconds(5));
    const [onItsWay] = await due(crm);

    const after = await killed();
    const again = await after.outbox.leaseDue({ endpointId: crm.id, now: clock.now(), limit: 10 });
    expect(again).toEqual([{ ...onItsWay, laneId: again[0]?.laneId }]);
  });

  test("a send that was accepted and not relayed waits under the same id", async () => {
    const { store, clock, killed } = await killable(world);
    const key = { owner: "key_1", route: "POST /send", key: "k" };
    await store.sends.claim(key, "h1", "3EB0AA", clock.now());
    const message = aMessage({ id: "3EB0AA", fromMe: true, client: "crm" });
    await store.sends.accept({ message, order: "{}", expiresAt: T0, now: T0 });

    const after = await killed();
    expect((await after.sends.waiting("s1")).map(({ messageId }) => messageId)).toEqual(["3EB0AA"]);
    // The repeat of the request goes on with the id of the first instead of waiting for a dead process.
    expect(await after.sends.claim(key, "h2", "other", clock.now())).toEqual({ result: "conflict" });
    expect(await after.sends.claim(key, "h1", "other", clock.now())).toEqual({
      result: "new",
      reservedId: "3EB0AA",
    });
    expect(await after.sends.claim(key, "h1", "other", clock.now())).toEqual({
      ...{ result: "running", reservedId: "3EB0AA" },
    });
  });
}
