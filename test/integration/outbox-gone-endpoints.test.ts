/** A receiver that says that it is gone (410), and what makes the hub call it again. */
import { expect, test } from "vitest";
import { openOutboxRig, SECRET } from "../support/outbox-rig.ts";

test("one that answered 410 is heard of again when its URL changes; one that a person paused is not", async () => {
  const rig = await openOutboxRig();
  const [gone, fresh] = [await rig.crm(), await rig.crm()];
  const { endpoint } = await rig.endpoints.setForSession("s1", { url: gone.url, secret: SECRET });
  const id = endpoint?.id ?? "";
  gone.answers({ kind: "answer", status: 410 });
  await rig.says("34600111222");
  await rig.dispatcher.idle();
  expect(await rig.endpoints.get(id)).toMatchObject({ state: "paused", isGone: true });
  // Another secret says nothing about an address that is gone.
  await rig.endpoints.rotateSecret(id, SECRET);
  expect((await rig.endpoints.get(id)).state).toBe("paused");
  await rig.restart();

  await rig.endpoints.setForSession("s1", { url: fresh.url });
  await rig.dispatcher.idle();
  expect(await rig.store.endpoints.get(id)).toMatchObject({ state: "active", isGone: false });
  expect(fresh.counts().unique).toBe(1);

  await rig.endpoints.pause(id);
  await rig.endpoints.setForSession("s1", { url: gone.url });
  expect((await rig.endpoints.get(id)).state).toBe("paused");
});

test("a person's pause after a 410 is a person's", async () => {
  const rig = await openOutboxRig();
  const [gone, fresh] = [await rig.crm(), await rig.crm()];
  const { id } = await rig.endpoint(gone);
  gone.answers({ kind: "answer", status: 410 });
  await rig.says("34600111222");
  await rig.dispatcher.idle();
  await rig.endpoints.pause(id);
  expect(await rig.endpoints.update(id, { url: fresh.url })).toMatchObject({
    state: "paused",
    isGone: false,
  });
});
