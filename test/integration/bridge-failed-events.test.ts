/** Events among the failed: as soon as one is applied, on whichever way it comes again, it is listed no more. */
import { expect, test } from "vitest";
import { aMessage } from "../support/builders.ts";
import { openReceiverRig, toldOf } from "../support/receiver-rig.ts";

const stored = (seq: number) => toldOf({ kind: "stored", message: aMessage() }, seq);

test("an event that was set aside, or refused before, is failed no more once it is applied", async () => {
  const rig = await openReceiverRig();
  const add = (key: string) => rig.failed.add({ sessionId: "s1", kind: "event", key, error: "HTTP 500" });
  for (const key of ["7", "8"]) await add(key);
  const left = () => rig.failed.list().map(({ kind, key }) => `${kind} ${key}`);
  expect((await rig.post(stored(7))).action).toBe("created");
  expect(left()).toEqual(["event 8"]);
  expect(await rig.apply(stored(8))).toMatchObject({ action: "created" });
  expect(left()).toEqual([]);
});

test("an event that was set aside stays failed as long as the CRM refuses it", async () => {
  const rig = await openReceiverRig({
    crm: (crm) => ({
      ...crm,
      upsertMessages: () => Promise.resolve([{ outcome: "rejected", error: "too long" }]),
    }),
  });
  await rig.failed.add({ sessionId: "s1", kind: "event", key: "7", error: "HTTP 500" });
  expect((await rig.post(stored(7))).status).toBe(422);
  expect(rig.failed.list().map(({ kind }) => kind)).toEqual(["event", "message"]);
});
