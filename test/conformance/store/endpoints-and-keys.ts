/** Receivers, API keys, data keys, and the database's own identity. */
import { expect, test } from "vitest";
import { aMessageFact, anApiKey, anEndpoint, bytes, T0 } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { Worlds } from "./world.ts";

export function endpointsAndKeys(world: Worlds): void {
  test("an endpoint comes back as it was saved", async () => {
    const { store } = await world();
    const endpoint = anEndpoint({
      sessions: ["s1"],
      events: ["message.received", "session.qr"],
      ordering: "session",
      presets: ["hub256"],
      headers: { "X-Tenant": "a" },
      previousSecret: { sealed: bytes("old"), until: T0 },
      client: "crm",
      breaker: { state: "open", until: T0, openings: 2, failures: 5, successes: 0 },
      failingSince: T0,
      lastError: "HTTP 500",
    });
    await store.endpoints.save(endpoint);
    expect(await store.endpoints.get(endpoint.id)).toEqual(endpoint);
    expect(await store.endpoints.list()).toEqual([endpoint]);
    expect(await store.endpoints.get("ep_other")).toBeNull();
  });

  test("saving again replaces it but keeps its health; health is saved alone", async () => {
    const { store } = await world();
    const endpoint = anEndpoint();
    await store.endpoints.save(endpoint);
    const health = {
      breaker: { state: "open" as const, until: T0, openings: 1, failures: 5, successes: 0 },
      failingSince: T0,
      lastSuccessAt: T0,
      lastError: "HTTP 503",
      state: "failing" as const,
      isGone: false,
    };
    await store.endpoints.saveHealth(endpoint.id, health);
    expect(await store.endpoints.get(endpoint.id)).toEqual({ ...endpoint, ...health });
    await store.endpoints.save({ ...endpoint, url: "https://other.example", state: "paused" });
    expect(await store.endpoints.get(endpoint.id)).toEqual({
      ...endpoint,
      ...health,
      url: "https://other.example",
      state: "paused",
    });
  });

  test("a change of what an endpoint wants counts from the next event on", async () => {
    const { store, record, endpoint } = await world();
    const crm = await endpoint();
    await record(aMessageFact());
    await store.endpoints.save({ ...crm, events: ["call.received"] });
    await record(aMessageFact());
    await store.endpoints.save({ ...crm, enabled: false });
    await record(aMessageFact());
    expect(await store.outbox.count({ endpointId: crm.id })).toBe(1);
    await store.endpoints.save({ ...crm, state: "paused" });
    await record(aMessageFact());
    expect(await store.outbox.count({ endpointId: crm.id })).toBe(2);
  });

  test("a removed endpoint gives up what it was owed, and its past can still be read", async () => {
    const { store, record, endpoint, due, settle } = await world();
    const crm = await endpoint();
    await record([aMessageFact(), aMessageFact({ chatId: "34600333444@s.whatsapp.net" })]);
    await settle(await due(crm, 1));
    await record(aMessageFact());
    expect(await store.endpoints.remove(crm.id)).toBe(2);
    expect(await store.endpoints.get(crm.id)).toBeNull();
    expect(await store.endpoints.list()).toEqual([]);
    expect(await due(crm)).toEqual([]);
    expect(await store.outbox.nextDueAt(crm.id)).toBeNull();
    const { items } = await store.outbox.list({ endpoints: [crm.id], limit: 10, page: 1 });
    expect(items.map(({ state }) => state)).toEqual(["delivered", "dismissed", "dismissed"]);
    await record(aMessageFact());
    expect(await store.outbox.count({})).toBe(3);
    expect(await store.endpoints.remove(crm.id)).toBe(0);
    await store.outbox.openReplay({
      id: "job_1",
      filter: { endpointId: crm.id },
      matched: 0,
      startedAt: T0,
    });
    expect(await store.outbox.continueReplay("job_1", T0, 10)).toEqual({ replayed: 0, isDone: true });
  });

  test("a key is found by its hash, and by the one before while it is valid", async () => {
    const { store, clock } = await world();
    const key = anApiKey({
      hash: "new",
      previous: { hash: "old", until: new Date(clock.now().getTime() + hours(1)) },
      expiresAt: new Date(clock.now().getTime() + hours(9)),
      sessions: ["s1"],
      operatorHash: "given",
    });
    await store.keys.save(key);
    expect(await store.keys.byHash("new")).toEqual(key);
    expect(await store.keys.byHash("old")).toEqual(key);
    clock.advance(hours(1));
    expect(await store.keys.byHash("old")).toBeNull();
    expect(await store.keys.byHash("other")).toBeNull();
    await store.keys.save({ ...key, name: "renamed", previous: null });
    expect(await store.keys.get(key.id)).toMatchObject({ name: "renamed", previous: null });
    expect(await store.keys.list()).toHaveLength(1);
    expect(await store.keys.remove(key.id)).toBe(true);
    expect(await store.keys.remove(key.id)).toBe(false);
    expect(await store.keys.byHash("new")).toBeNull();
  });

  test("wrapped data keys are kept by scope", async () => {
    const { store } = await world();
    expect(await store.vault.dataKey("hub")).toBeNull();
    await store.vault.saveDataKey("hub", bytes("one"));
    await store.vault.saveDataKey("hub", bytes("two"));
    await store.vault.saveDataKey("session:s1", bytes("three"));
    expect(Buffer.from((await store.vault.dataKey("hub")) ?? []).toString()).toBe("two");
    expect(await store.vault.scopes()).toEqual(["hub", "session:s1"]);
  });

  test("the database knows itself, and proves that it writes", async () => {
    const { store } = await world();
    const identity = await store.identity();
    expect(identity.epoch).toBe(1);
    expect(identity.hubId.length).toBeGreaterThan(10);
    await store.canary();
    await store.close();
    await expect(store.canary()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(store.keys.list()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
}
