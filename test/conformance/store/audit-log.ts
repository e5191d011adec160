/** The audit log: a chain that only grows at one end, is cut at the other, and shows what was done to it in between. */
import { expect, test } from "vitest";
import type { NewAuditEntry } from "../../../hub/core/audit.ts";
import { anApiKey, anEndpoint } from "../../support/builders.ts";
import { hours } from "../../support/fixed-clock.ts";
import type { World, Worlds } from "./world.ts";

const anEntry = (made: World, change: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
  at: made.clock.now(),
  actor: "key_1",
  actorName: "CRM",
  action: "POST /api/keys",
  target: "key_2",
  outcome: "done",
  details: { fields: ["name"], left: undefined },
  ...change,
});

const append = async (made: World, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await made.store.audit.append(anEntry(made, { target: `key_${n}` }));
};

export function auditLog(world: Worlds): void {
  test("entries come back newest first, a page at a time, numbered without a hole", async () => {
    const made = await world();
    expect(await made.store.audit.verify()).toMatchObject({ intact: true, rows: 0 });
    await append(made, 3);
    const first = await made.store.audit.list({ limit: 2, page: 1 });
    expect([first.items.map(({ n }) => n), first.total]).toEqual([[3, 2], 3]);
    expect(first.items[0]).toEqual({
      ...anEntry(made, { target: "key_2", details: { fields: ["name"] } }),
      n: 3,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    const rest = await made.store.audit.list({ limit: 2, page: 1, cursor: first.nextCursor ?? "" });
    expect([rest.items.map(({ n }) => n), rest.nextCursor]).toEqual([[1], null]);
    expect(await made.store.audit.verify()).toMatchObject({
      intact: true,
      rows: 3,
      first: 1,
      last: { n: 3 },
    });
  });

  test("a year later the oldest go, a batch at a time, and what stays is still a chain", async () => {
    const made = await world();
    const { store, clock } = made;
    const before = (): Date => new Date(clock.now().getTime() - hours(24 * 365));
    expect(await store.audit.forget(before(), 100)).toBe(0);
    await append(made, 5);
    clock.advance(hours(24 * 366));
    await append(made, 2);
    expect(await store.audit.forget(before(), 3)).toBe(3);
    expect(await store.audit.verify()).toMatchObject({ intact: true, rows: 4, first: 4, last: { n: 7 } });
    expect(await store.audit.forget(before(), 100)).toBe(2);
    expect(await store.audit.forget(before(), 100)).toBe(0);
    expect(await store.audit.list({ limit: 10, page: 1 })).toMatchObject({ total: 2 });
    clock.advance(hours(24 * 366));
    expect(await store.audit.forget(before(), 100)).toBe(2);
    await append(made, 1);
    expect(await store.audit.verify()).toMatchObject({ intact: true, rows: 1, first: 8, last: { n: 8 } });
  });

  test("a key and the entry about it are one write", async () => {
    const made = await world();
    const { store } = made;
    const key = anApiKey();
    await store.keys.save(key, anEntry(made, { target: key.id }));
    // A row that the disk refuses takes the key back with it.
    const broken = anEntry(made, { actor: null as unknown as string });
    await expect(store.keys.save({ ...key, name: "other" }, broken)).rejects.toThrow();
    await expect(store.keys.remove(key.id, broken)).rejects.toThrow();
    expect(await store.keys.get(key.id)).toEqual(key);
    expect(await store.keys.remove(key.id, anEntry(made, { target: key.id }))).toBe(true);
    expect(await store.keys.remove(key.id, anEntry(made))).toBe(false);
    expect(await store.audit.verify()).toMatchObject({ intact: true, rows: 2 });
  });

  test("an endpoint and the entry about it are one write", async () => {
    const made = await world();
    const { store } = made;
    const endpoint = anEndpoint();
    await store.endpoints.save(endpoint, anEntry(made, { target: endpoint.id }));
    const broken = anEntry(made, { actor: null as unknown as string });
    await expect(
      store.endpoints.save({ ...endpoint, url: "https://other.example" }, broken),
    ).rejects.toThrow();
    await expect(store.endpoints.remove(endpoint.id, broken)).rejects.toThrow();
    expect(await store.endpoints.get(endpoint.id)).toEqual(endpoint);
    await store.endpoints.remove(endpoint.id, anEntry(made, { target: endpoint.id }));
    expect(await store.audit.verify()).toMatchObject({ intact: true, rows: 2 });
  });
}
