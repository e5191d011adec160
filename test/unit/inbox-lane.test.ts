import { expect, test } from "vitest";
import { createSendLanes } from "../../hub/inbox/send-lane.ts";

test("a slow send holds back its own chat and no other", async () => {
  const lanes = createSendLanes();
  const left: string[] = [];
  let finishSlow: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => {
    finishSlow = resolve;
  });
  const first = lanes.run("ana", async () => {
    await slow;
    left.push("ana 1");
  });
  const second = lanes.run("ana", () => Promise.resolve(left.push("ana 2")));
  await lanes.run("ben", () => Promise.resolve(left.push("ben 1")));
  expect(left).toEqual(["ben 1"]);

  finishSlow();
  await Promise.all([first, second]);
  expect(left).toEqual(["ben 1", "ana 1", "ana 2"]);
});

test("a send that fails does not stop the next one of its chat", async () => {
  const lanes = createSendLanes();
  const failed = lanes.run("ana", () => Promise.reject(new Error("no")));
  const next = lanes.run("ana", () => Promise.resolve("yes"));
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("yes");
  await lanes.idle();
});
