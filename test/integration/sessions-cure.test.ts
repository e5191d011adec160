/** An account that looks connected and hears nothing, from the first doubt to the end of what can be done, in hours of a moved clock. */
import { describe, expect, test } from "vitest";
import type { WatchdogParts } from "../../hub/sessions/runner-parts.ts";
import { createRestart } from "../../hub/sessions/process-restart.ts";
import { aMessage } from "../support/builders.ts";
import { hours, minutes, seconds } from "../support/fixed-clock.ts";
import type { PuppetAccount, PuppetLink } from "../support/puppet-whatsapp.ts";
import { openSessionRig, type SessionRig } from "../support/session-rig.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function aScene(restart: WatchdogParts["restart"] = null): Promise<SessionRig> {
  const rig = await openSessionRig({ watched: { restart } });
  const account = rig.account("s1");
  await rig.connected("s1");
  const message = aMessage({ sessionId: "s1" });
  await rig.store.inbox.record({
    sessionId: "s1",
    facts: [{ kind: "message", message, live: true }],
    closes: [],
    now: rig.time.clock.now(),
  });
  await rig.news("s1");
  account.whenOpened((opened) => opened.opens());
  return rig;
}

const newestLink = (account: PuppetAccount): PuppetLink => {
  const link = account.links.at(-1);
  if (link === undefined) throw new Error("no link was opened");
  return link;
};

const steps = async (rig: SessionRig): Promise<string[]> => {
  const page = await rig.store.sessions.timeline("s1", { limit: 100, page: 1 });
  return page.items
    .filter(({ type }) => type === "degraded")
    .map(({ text }) => text)
    .reverse();
};

describe("a deaf account", () => {
  test("is degraded, cured twice by a new connection, and then left to people", async () => {
    const rig = await aScene();
    // Three times the usual silence; a phone that is off for less is nobody's trouble.
    await rig.pass(minutes(30) + seconds(145));
    expect(await rig.news("s1")).toEqual([]);
    await rig.pass(seconds(30));
    expect(await rig.sessions.get("s1")).toMatchObject({
      state: "degraded",
      lostAt: null,
      reason: { code: "nothing_heard", blame: "whatsapp" },
    });
    await rig.pass(minutes(4));
    expect(await steps(rig)).toEqual([
      expect.stringContaining("was stored"),
      expect.stringContaining("A new connection"),
      expect.stringContaining("A second new connection"),
      expect.stringContaining("Nothing helped"),
    ]);
    expect(rig.account("s1").links.filter(({ isClosed }) => !isClosed)).toHaveLength(1);
    expect(rig.account("s1").links).toHaveLength(4);
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "degraded", reason: { code: "not_cured" } });
    expect(rig.sessions.link("s1")).toBe(rig.account("s1").links.at(-1));
    // Degraded is connected to CRMs, which are told each step and nothing of a loss.
    const told = (await rig.news("s1")).filter((line) => !line.startsWith("message"));
    expect(new Set(told)).toEqual(new Set(["session.status degraded"]));
    expect(told).toHaveLength(4);

    newestLink(rig.account("s1")).pulse.heard = { lastInboundAt: new Date(8.64e15) };
    await rig.pass(seconds(10));
    expect(await rig.news("s1")).toEqual(["session.status connected"]);
    expect((await rig.sessions.figures("s1")).degradedMs).toBeGreaterThan(minutes(3));
  });

  test("whose phone answers is not bothered", async () => {
    const rig = await aScene();
    const link = newestLink(rig.account("s1"));
    link.pulse.onAsked = () => (link.pulse.heard = { lastInboundAt: rig.time.clock.now() });
    await rig.pass(minutes(70));
    expect(await rig.news("s1")).toEqual([]);
    expect(link.pulse.did.filter((did) => did === "ask")).toHaveLength(2);
  });

  test("whose connection dies is lost like any other", async () => {
    const rig = await aScene();
    const account = rig.account("s1");
    const link = newestLink(account);
    link.pulse.heard = { lastFrameAt: rig.time.clock.now() };
    link.pulse.onCut = () => account.closes(408);
    await rig.pass(seconds(50));
    expect(account.links).toHaveLength(3);
    expect(link.pulse.did).toContain("cut");
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "connected", lostAt: null });
  });

  test("that is stopped while it is being cured stays stopped", async () => {
    const rig = await aScene();
    await rig.pass(minutes(33));
    expect(await rig.sessions.get("s1")).toMatchObject({ state: "degraded" });
    await rig.sessions.disconnect("s1");
    await rig.pass(hours(1));
    expect((await rig.sessions.get("s1")).state).toBe("stopped");
  });
});

function restartOn({ store, time }: SessionRig, end: () => void): NonNullable<WatchdogParts["restart"]> {
  const restart = createRestart({ marks: store.marks, clock: time.clock, log: silent, end });
  if (restart === null) throw new Error("restarts are off");
  return restart;
}

describe("a process that cannot store what comes in", () => {
  test("starts itself again after two new connections, and not again for six hours", async () => {
    const ends: number[] = [];
    const rig = await openSessionRig();
    const restart = restartOn(rig, () => ends.push(rig.time.clock.now().getTime()));
    expect(await restart.isAllowed()).toBe(true);
    restart.go("s1");
    await rig.settle();
    expect(ends).toHaveLength(1);
    const next = restartOn(rig, () => undefined);
    expect([await restart.isAllowed(), await next.isAllowed()]).toEqual([false, false]);
    await rig.pass(hours(6));
    expect([await restart.isAllowed(), await next.isAllowed()]).toEqual([true, true]);
  });

  test("is asked to by the watchdog when the server is silent on every connection", async () => {
    const asked: string[] = [];
    const rig = await aScene({
      isAllowed: () => Promise.resolve(true),
      go: (sessionId) => asked.push(sessionId),
    });
    rig.account("s1").whenOpened((opened) => {
      newestLink(opened).pulse.answersPings = false;
      opened.opens();
    });
    newestLink(rig.account("s1")).pulse.answersPings = false;
    await rig.pass(minutes(6));
    expect(asked).toEqual(["s1"]);
    expect((await steps(rig)).at(-1)).toContain("starts itself again");
  });
});
