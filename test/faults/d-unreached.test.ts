/** D6: nothing gets out to a CRM, be it that its name does not resolve or that the hub itself is offline. */
import { expect, test } from "vitest";
import type { Resolve } from "../../hub/core/webhook-address.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { openOutboxRig, type OutboxRig } from "../support/outbox-rig.ts";

/** A rig whose resolver knows only the names it is told to know. */
async function openRig() {
  const known = new Set<string>();
  const resolve: Resolve = (host, _options, callback) =>
    known.has(host)
      ? callback(null, [{ address: "127.0.0.1", family: 4 }])
      : callback(Object.assign(new Error("try again"), { code: "EAI_AGAIN" }), []);
  const rig = await openOutboxRig({ resolve });
  const crm = await rig.crm();
  const at = (name: string) => rig.endpoint({ url: `http://${name}.example:${crm.port}/hook` });
  return { rig, crm, known, at };
}

async function pass(rig: OutboxRig, ms: number, each?: () => Promise<unknown>): Promise<void> {
  for (let passed = 0; passed < ms; passed += seconds(30)) {
    await each?.();
    await rig.after(seconds(30));
  }
}

test("D6: a name that does not resolve is shown at once, called for after 15 minutes, and costs no attempt", async () => {
  const { rig, crm, known, at } = await openRig();
  known.add("fine.example");
  const gone = await at("gone");
  await at("fine");
  await rig.says("34600111222");
  await rig.dispatcher.idle();
  expect(await rig.endpoints.get(gone.id)).toMatchObject({
    ...{ state: "active", failingSince: null, lastError: "EAI_AGAIN" },
  });
  const begun = rig.clock.now();
  await pass(rig, minutes(14), () => rig.says("34600333444"));
  expect((await rig.endpoints.get(gone.id)).state).toBe("active");
  expect(rig.troubles()).toEqual([]);
  await pass(rig, minutes(3), () => rig.says("34600333444"));
  const failing = await rig.endpoints.get(gone.id);
  expect(failing).toMatchObject({ state: "failing", failingSince: begun });
  expect(failing.lastError).toBe("EAI_AGAIN; other endpoints are reached meanwhile");
  expect(rig.troubles()).toContainEqual([gone.id, "failing"]);
  expect(rig.logged("endpoint.failing")).toHaveLength(1);
  expect(rig.logged("endpoint.breaker_opened")).toEqual([]);

  const owed = await rig.deliveries({ endpointId: gone.id });
  expect(owed.every(({ attempts, state }) => attempts === 0 && state !== "dead")).toBe(true);
  known.add("gone.example");
  await pass(rig, minutes(2));
  expect(await rig.endpoints.get(gone.id)).toMatchObject({ state: "active", failingSince: null });
  expect(await rig.deliveries({ endpointId: gone.id, state: "delivered" })).toHaveLength(owed.length);
  expect(crm.counts()).toMatchObject({ outOfOrder: 0, badSignatures: 0 });
});

test("D6: a hub that is offline says that it may be its own network, and uses no attempt for hours", async () => {
  const { rig, crm, known, at } = await openRig();
  const { id } = await at("crm");
  for (let n = 0; n < 5; n += 1) await rig.says(`3460000${1000 + n}`);
  await rig.dispatcher.idle();
  await pass(rig, minutes(120));
  const { state, lastError } = await rig.endpoints.get(id);
  expect([state, lastError]).toEqual([
    "failing",
    expect.stringMatching(/^EAI_AGAIN; no other endpoint was reached meanwhile: .* the hub's own machine$/),
  ]);
  const owed = await rig.deliveries();
  expect(owed).toHaveLength(5);
  expect(owed.every((one) => one.attempts === 0 && one.state !== "dead")).toBe(true);
  await rig.restart();
  expect((await rig.endpoints.get(id)).state).toBe("failing");
  known.add("crm.example");
  await pass(rig, minutes(2));
  expect(crm.counts()).toMatchObject({ unique: 5, duplicated: 0 });
  expect((await rig.endpoints.get(id)).state).toBe("active");
});

test("D6: fourteen minutes without a network are nobody's trouble", async () => {
  const { rig, known, at } = await openRig();
  const { id } = await at("crm");
  for (let n = 0; n < 3; n += 1) {
    known.clear();
    await rig.says("34600111222");
    await pass(rig, minutes(14));
    known.add("crm.example");
    await pass(rig, minutes(1));
  }
  expect(await rig.endpoints.get(id)).toMatchObject({ state: "active", failingSince: null });
  expect(rig.troubles()).toEqual([]);
});
