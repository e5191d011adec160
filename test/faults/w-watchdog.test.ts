/** Connections that look open and do not work, over real sockets; the times of the watchdog are a hundredth of its own. */
import { describe, expect, test } from "vitest";
import { openSessionsHub, type SessionsHub } from "../support/sessions-hub.ts";
import { until } from "../support/until.ts";
import type { Emulator } from "../whatsapp/emulator.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";
import { isInEarnest } from "./in-earnest.ts";

const bed = useEmulator();

const FAST = {
  lookMs: 50,
  lateMs: 500,
  frameMs: 60_000,
  pingMs: 60_000,
  pingTimeoutMs: 300,
  storedMs: 100,
  stuckMs: 2_000,
  quietMinMs: 200,
  quietMaxMs: 200,
  askMs: 600,
  answerMs: 300,
  stepMs: 1_500,
};

interface Scene {
  emulator: Emulator;
  hub: SessionsHub;
  account: string;
  says(text: string): Promise<void>;
}

async function aScene(watch: Partial<typeof FAST> = {}): Promise<Scene> {
  const emulator = bed.emulator();
  const { number: account } = emulator.createAccount({ preset: "small", size: { messages: 0 } });
  const hub = await openSessionsHub(emulator, {
    watch: { ...FAST, ...watch },
    timing: { sweepMs: 60_000, answerMs: 500 },
  });
  await hub.linked("s1", account);
  const from = emulator.contacts(account)[0]?.number ?? "";
  return {
    emulator,
    hub,
    account,
    says: async (text) => {
      emulator.receive({ account, from, kind: "text", text });
      await until(text, async () => (await texts(hub)).includes(text));
    },
  };
}

const texts = async ({ store }: SessionsHub): Promise<string[]> => {
  const page = await store.inbox.messages({ sessionId: "s1", order: "asc", limit: 100, page: 1 });
  return page.items.map(({ content }) => content);
};

const timeline = async ({ store }: SessionsHub): Promise<string[]> => {
  const page = await store.sessions.timeline("s1", { limit: 100, page: 1 });
  return page.items.map(({ type, text }) => `${type}: ${text}`).reverse();
};

describe("the watchdog", () => {
  test("W21 leaves a quiet account alone whose phone answers", async () => {
    const { hub, emulator, says } = await aScene();
    await says("hola");
    const answers = (): number => emulator.counters().counts.messagesSent;
    const before = answers();
    await until("the phone was asked three times", () => answers() >= before + 3);
    expect(await hub.news("s1")).not.toContain("session.status degraded");
    expect(await texts(hub)).toEqual(["hola"]);
  });

  test("W21 finds a deaf session, cures it by a new connection, and each step can be read", async () => {
    const { hub, emulator, account, says } = await aScene();
    await says("hola");
    emulator.fault({ kind: "withhold", account });
    const from = emulator.contacts(account)[0]?.number ?? "";
    emulator.receive({ account, from, kind: "text", text: "held back" });
    const degraded = await hub.reaches("s1", "degraded");
    expect(degraded).toMatchObject({ lostAt: null, reason: { code: "nothing_heard" } });

    // WhatsApp gives what it withheld to the next connection.
    await until("the new connection", async () => (await timeline(hub)).at(-1)?.includes("A new connection"));
    emulator.fault({ kind: "withhold", account, on: false });
    await hub.reaches("s1", "connected");
    await until("what was held back", async () => (await texts(hub)).includes("held back"));
    const told = (await hub.news("s1")).slice(3);
    expect(told[0]).toBe("session.connected connected");
    expect(told.slice(1, -1)).toEqual(told.slice(1, -1).map(() => "session.status degraded"));
    expect(told.at(-1)).toBe("session.status connected");
    expect((await timeline(hub)).filter((line) => line.startsWith("degraded")).slice(0, 2)).toEqual([
      expect.stringContaining("What was held back was stored."),
      expect.stringContaining("A new connection is made."),
    ]);
  });

  test("W21 leaves a quiet account alone while its phone is off for less than thrice the usual silence and three questions", async () => {
    const { hub, emulator, account, says } = await aScene({ askMs: 700 });
    await says("hola");
    const asked = (): number => emulator.counters().counts.messagesSent;
    const before = asked();
    emulator.fault({ kind: "phone-silent", account, count: null });
    await until("two questions", () => asked() >= before + 2);
    emulator.clearFaults();
    await until("an answer", () => asked() >= before + 4);
    expect(await hub.news("s1")).not.toContain("session.status degraded");
  });

  test("W21 gives up curing when nothing helps, and says so", async () => {
    const { hub, emulator, account, says } = await aScene({ stepMs: 400, answerMs: 200, askMs: 300 });
    await says("hola");
    emulator.fault({ kind: "withhold", account });
    await until("the end of the cure", async () => (await timeline(hub)).at(-1)?.includes("Nothing helped"));
    expect(await hub.sessions.get("s1")).toMatchObject({ state: "degraded", lostAt: null });
    emulator.fault({ kind: "withhold", account, on: false });
    emulator.receive({
      account,
      from: emulator.contacts(account)[0]?.number ?? "",
      kind: "text",
      text: "back",
    });
    await hub.reaches("s1", "connected");
  });

  test("W15 cuts a connection that nothing comes over any more, and the account is back", async () => {
    const { hub, emulator, account } = await aScene({ frameMs: 700, quietMinMs: 60_000, quietMaxMs: 60_000 });
    const told = await hub.news("s1");
    emulator.fault({ kind: "silent", account });
    await until("the loss", async () => (await hub.sessions.get("s1")).lostAt !== null);
    expect((await hub.sessions.get("s1")).reason).toMatchObject({ code: "408" });
    await hub.reaches("s1", "connected");
    expect(await hub.news("s1")).toEqual(told);
  });

  test("W18 does not blame a connection for a process that stood still", async () => {
    const { hub, says } = await aScene({ frameMs: 1_000, lateMs: 200, pingMs: 300 });
    await says("before");
    const { connectedAt } = await hub.sessions.get("s1");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, isInEarnest() ? 5_000 : 1_500);
    await says("after");
    expect(await hub.sessions.get("s1")).toMatchObject({ state: "connected", lostAt: null, connectedAt });
  });
});

describe("W20: WhatsApp that does not let in", () => {
  test.each([
    ["refuses the connection", { kind: "reject-upgrade", status: 503 }, "502"],
    ["takes the connection and says nothing", { kind: "stall-upgrade" }, "504"],
  ] as const)("and %s is left after a while, and tried again", async (_what, fault, code) => {
    const { hub, emulator } = await aScene();
    emulator.fault({ ...fault, count: 1 });
    await hub.sessions.restart("s1");
    await until("the reason", async () => (await hub.sessions.get("s1")).reason?.code === code);
    await hub.reaches("s1", "connected");
  });
});

test("W3: an offline batch that is never closed is stored all the same, and what Baileys holds back comes", async () => {
  const { hub, emulator, account } = await aScene({ stuckMs: 500 });
  const from = emulator.contacts(account)[0]?.number ?? "";
  await hub.sessions.disconnect("s1");
  emulator.receive({ account, from, kind: "text", text: "while away" });
  emulator.fault({ kind: "no-offline-end", account, count: 1 });
  await hub.sessions.connect("s1");
  await hub.reaches("s1", "connected");
  await until("the message", async () => (await texts(hub)).includes("while away"));
  await until("its receipt", () => emulator.ledgerSummary(account).unacked === 0);
  expect(emulator.ledgerSummary(account)).toMatchObject({ nacked: 0 });
});
