/** Secrets of endpoints that do not open any more, because the key is lost that they were sealed with. */
import { expect, test } from "vitest";
import type { Cipher } from "../../hub/core/cipher.ts";
import { createEndpoints } from "../../hub/outbox/endpoints.ts";
import { hours } from "../support/fixed-clock.ts";
import { openOutboxRig, placeCipher, SECRET } from "../support/outbox-rig.ts";

/** Seals with a key that can be lost. */
function losableKey(): { cipher: Cipher; lose(): void } {
  let key = "first";
  return {
    cipher: {
      seal: (place, plain) => placeCipher.seal(`${key}:${place}`, plain),
      open: (place, sealed) => placeCipher.open(`${key}:${place}`, sealed),
    },
    lose: () => {
      key = "second";
    },
  };
}

test("a new secret after a key that is lost signs alone: the one before cannot be opened", async () => {
  const { cipher, lose } = losableKey();
  const rig = await openOutboxRig({ cipher });
  const { endpoint } = await rig.endpoints.create({ url: "https://93.184.216.34/hook" });
  lose();
  await rig.endpoints.rotateSecret(endpoint.id, SECRET);
  const rotated = await rig.endpoints.get(endpoint.id);
  expect(rig.endpoints.signing(rotated)).toEqual({ secret: SECRET, previous: null });
  expect(rig.endpoints.fingerprints(rotated)).toHaveLength(1);
});

test("secrets that do not open any more stop neither the start nor an order to give others", async () => {
  const { cipher, lose } = losableKey();
  const rig = await openOutboxRig({ cipher });
  const crm = await rig.crm();
  const ofSession = await rig.endpoints.setForSession("s1", { url: crm.url, secret: SECRET });
  const ofHub = await rig.endpoints.ensureDefault({ url: crm.url, secret: SECRET });
  lose();
  // As they are after a restart: nothing of them was opened before.
  const endpoints = createEndpoints({
    ...{ store: rig.store.endpoints, cipher, guard: rig.guard, clock: rig.clock },
    ...{ log: { debug: () => 0, info: () => 0, warn: () => 0, error: () => 0 }, userAgent: "test" },
  });
  for (const { endpoint } of [
    await endpoints.setForSession("s1", { url: crm.url, secret: SECRET }),
    { endpoint: await endpoints.ensureDefault({ url: crm.url, secret: SECRET }) },
  ]) {
    if (endpoint === null) throw new Error("there is none");
    expect(endpoint.id).toBe((endpoint.managedBy === "default" ? ofHub : ofSession.endpoint)?.id);
    expect(endpoints.signing(endpoint)).toEqual({ secret: SECRET, previous: null });
  }
});

test("a secret before, which does not open any more, does not keep the new one from signing", async () => {
  const rig = await openOutboxRig();
  const { endpoint } = await rig.endpoints.create({ url: "https://93.184.216.34/hook", secret: SECRET });
  const until = new Date(rig.clock.now().getTime() + hours(1));
  const torn = { ...endpoint, previousSecret: { sealed: new TextEncoder().encode("torn"), until } };
  expect(rig.endpoints.signing(torn)).toEqual({ secret: SECRET, previous: null });
  expect(rig.endpoints.fingerprints(torn)).toHaveLength(1);
});
