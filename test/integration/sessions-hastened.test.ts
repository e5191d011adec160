/** An order to connect while the next try is only waited for: a person does not wait, and a loop gains nothing. */
import { describe, expect, test } from "vitest";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { openSessionRig } from "../support/session-rig.ts";

describe("connect, while the next try is waited for,", () => {
  /** Lost, and each try refused: the wait is now five minutes long. */
  async function inLongWait() {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.whenOpened(() => account.closes(500));
    account.closes(500);
    await rig.pass(minutes(10));
    const { length } = account.links;
    await rig.pass(minutes(1));
    expect(account.links).toHaveLength(length);
    return { rig, account, length };
  }

  test("makes it now: a person does not wait for five minutes", async () => {
    const { rig, account, length } = await inLongWait();
    account.whenOpened(() => account.opens());
    expect(await rig.sessions.connect("s1", { waitMs: 5000 })).toMatchObject({ state: "connected" });
    expect(account.links).toHaveLength(length + 1);
    await rig.pass(minutes(30));
    expect(account.links).toHaveLength(length + 1);
    expect(account.mostLinksAtOnce).toBe(1);
  });

  test("makes one try for ten orders at once, and goes on waiting after it failed", async () => {
    const { rig, account, length } = await inLongWait();
    await Promise.all(Array.from({ length: 10 }, () => rig.sessions.connect("s1")));
    await rig.settle();
    expect(account.links).toHaveLength(length + 1);
    await rig.pass(minutes(5) - 1);
    expect(account.links).toHaveLength(length + 1);
    await rig.pass(1);
    expect(account.links).toHaveLength(length + 2);
  });

  test("in a loop is no way around the waits: five tries in ten minutes are made for orders", async () => {
    const { rig, account, length } = await inLongWait();
    const orderEachSecond = async (times: number): Promise<void> => {
      for (let n = 0; n < times; n++) {
        await rig.sessions.connect("s1");
        await rig.pass(seconds(1));
      }
    };
    await orderEachSecond(60);
    expect(account.links).toHaveLength(length + 5);
    await rig.pass(minutes(10));
    const { length: later } = account.links;
    await orderEachSecond(1);
    expect(account.links).toHaveLength(later + 1);
  });

  test("leaves the minute alone in which another program has the login", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(440);
    await rig.pass(seconds(30));
    await rig.sessions.connect("s1");
    await rig.pass(seconds(29));
    expect(account.links).toHaveLength(2);
    await rig.pass(seconds(1));
    expect(account.links).toHaveLength(3);
  });
});

test("a restart in the minute after another program took the login over is the one answer to it", async () => {
  const rig = await openSessionRig();
  const account = await rig.connected("s1");
  account.closes(440);
  await rig.settle();
  account.whenOpened(() => account.opens());
  await rig.sessions.restart("s1");
  await rig.settle();
  expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected" });
  await rig.pass(minutes(2));
  account.closes(440);
  await rig.pass(minutes(30));
  expect(account.links).toHaveLength(3);
  expect(await rig.sessions.get("s1")).toMatchObject({ state: "replaced" });
});
