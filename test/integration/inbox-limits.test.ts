/** How much leaves, and when: the switch, the pace, the number of new chats, what WhatsApp forbids. Time is moved by hand. */
import { setImmediate as immediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adviceOnRefusal } from "../../hub/core/advice-on-refusals.ts";
import { inSpanish } from "../../hub/core/advice.ts";
import { NO_LIMITS, type SendLimits } from "../../hub/inbox/send-limits.ts";
import { aMessageFact } from "../support/builders.ts";
import { hours, minutes, seconds } from "../support/fixed-clock.ts";
import { ANA, aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { manualTime, type ManualTime } from "../support/manual-time.ts";
import { until } from "../support/until.ts";

let time: ManualTime;
let inbox: InboxRig;
beforeEach(() => {
  time = manualTime();
});
afterEach(() => inbox.close());

const open = async (limits: Partial<SendLimits>, { ackWaitMs = 200 } = {}): Promise<void> => {
  inbox = await openInbox({
    ackWaitMs,
    clock: time.clock,
    limits: { limits: { ...NO_LIMITS, ...limits }, schedule: time.schedule, random: () => 0 },
  });
};

const settle = async (): Promise<void> => {
  for (let n = 0; n < 50; n++) await immediate();
};
const pass = (ms: number): Promise<void> => time.pass(ms, settle);
const person = (n: number): string => `34600222${String(n).padStart(3, "0")}`;
const queue = (n: number, change = {}) =>
  inbox.sending.send(
    aRequest({ to: person(n), queue: true, content: { kind: "text", text: `${n}` }, ...change }),
  );
const left = (): string[] =>
  inbox.whatsapp.sent.map(({ content }) => (content.kind === "text" ? content.text : content.kind));
const wrote = (to: string) =>
  inbox.parts.ingest({
    sessionId: "s1",
    facts: [aMessageFact({ chatId: `${to}@s.whatsapp.net` })],
    closes: [],
  });
const standing = () => inbox.sending.standing("s1");

describe("the pace of an account", () => {
  const paced = { perMinute: 20, burst: 5, chatGapMs: 1000 };

  test("lets a few leave at once and the rest one by one, in order; each says when", async () => {
    await open(paced);
    const sends = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => queue(n));
    await settle();
    expect(left()).toHaveLength(5);
    expect((await standing()).waiting).toBe(3);
    expect((await standing()).nextAt).toEqual(new Date(time.clock.now().getTime() + seconds(12)));
    await pass(seconds(3));
    expect(left()).toHaveLength(6);
    await pass(seconds(6));
    expect(left()).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
    await Promise.all(sends);
  });

  test("a send whose turn is far is answered at once, as pending, with its time", async () => {
    await open(paced, { ackWaitMs: 600_000 });
    const first = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => queue(n));
    await settle();
    // Whoever waited for WhatsApp's word would wait for ever: time stands still.
    const message = await queue(10);
    expect(left()).toHaveLength(5);
    expect(message.status).toBe("pending");
    await settle();
    expect(inbox.sending.etaOf("s1", message.id)).toEqual(new Date(time.clock.now().getTime() + seconds(15)));
    await pass(seconds(15));
    await Promise.all(first);
    expect((await inbox.store.inbox.message("s1", message.id))?.status).toBe("sent");
  });

  test("leaves a breath between two to the same chat, and holds up nobody else", async () => {
    await open({ chatGapMs: 1000 });
    const sends = [queue(1), queue(1, { content: { kind: "text", text: "again" } }), queue(2)];
    await settle();
    expect(left()).toEqual(["1", "2"]);
    await pass(seconds(1));
    expect(left()).toEqual(["1", "2", "again"]);
    await Promise.all(sends);
  });

  test("killed while messages wait for their turn, the next life sends each once, at the same pace", async () => {
    await open(paced);
    const broken = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => queue(n).catch(() => null));
    await settle();
    expect(left()).toHaveLength(5);
    time.forgetTimers();
    const before = left();
    await inbox.crash();
    void inbox.sending.resume("s1");
    await settle();
    expect(left(), "the burst is used up").toEqual([]);
    await pass(seconds(20));
    expect([...before, ...left()].sort()).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
    await Promise.all(broken);
  });

  test("does not keep a message beyond its time", async () => {
    await open({ perMinute: 1, burst: 1 });
    void queue(1);
    await settle();
    const late = await queue(2, { ttlSeconds: 30 });
    await pass(minutes(2));
    expect(left()).toEqual(["1"]);
    expect((await inbox.store.inbox.message("s1", late.id))?.status).toBe("failed");
  });
});

describe("more than may wait", () => {
  test("is refused with the time to come again, of ten thousand as well; nothing of it is kept", async () => {
    await open({ queue: 50 });
    inbox.whatsapp.goesAway();
    const refused: unknown[] = [];
    for (let round = 0; round < 20; round++) {
      const sends = Array.from({ length: 500 }, (_, n) => queue(n));
      for (const result of await Promise.allSettled(sends))
        if (result.status === "rejected") refused.push(result.reason);
    }
    expect(refused).toHaveLength(9_950);
    expect(refused[0]).toMatchObject({ code: "MESSAGE_RATE_LIMIT_EXCEEDED", retryAfterSeconds: 30 });
    expect((await standing()).waiting).toBe(50);
    const { total } = await inbox.store.inbox.messages({ sessionId: "s1", order: "asc", limit: 1, page: 1 });
    expect(total).toBe(50);
  }, 30_000);
});

describe("the number of new chats", () => {
  test("of a day: strangers wait for the next day, people who wrote and chats that are open do not", async () => {
    await open({ newChatsPerDay: 2 });
    await Promise.all([queue(1), queue(2)]);
    await wrote(person(9));
    await Promise.all([queue(9), queue(1, { content: { kind: "text", text: "more" } })]);
    const held = await queue(3);
    expect(held.status).toBe("pending");
    expect(left().sort()).toEqual(["1", "2", "9", "more"]);
    expect((await standing()).newChats).toMatchObject({ limit: 2, opened: 2 });
    expect((await standing()).newChats.freeAt).toEqual(new Date(time.clock.now().getTime() + hours(24)));
    await expect(inbox.sending.send(aRequest({ to: person(4) }))).rejects.toMatchObject({
      code: "RECIPIENT_RESTRICTED",
      details: { cause: "new_chats", until: new Date(time.clock.now().getTime() + hours(24)).toISOString() },
    });
    expect(inbox.whatsapp.asked.lookUp, "the stranger was not even looked up").toBe(3);
    await pass(hours(24) + seconds(2));
    expect(left()).toContain("3");
    expect((await inbox.store.inbox.message("s1", held.id))?.status).toBe("sent");
  });

  test("is not exceeded by many at once, nor by a process that is started again", async () => {
    await open({ newChatsPerDay: 5 });
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => queue(n)));
    await settle();
    expect(left()).toHaveLength(5);
    time.forgetTimers();
    await inbox.crash();
    void inbox.sending.resume("s1");
    await settle();
    expect(left()).toEqual([]);
    expect((await standing()).waiting).toBe(4);
  });

  test("is WhatsApp's own where it gives one, asked at the open; what waits goes when the cycle ends", async () => {
    await open({ newChatsPerDay: 1 });
    const end = new Date(time.clock.now().getTime() + hours(5));
    inbox.whatsapp.allowance = { total: 10, used: 7, until: end, isReached: false };
    await inbox.sending.resume("s1");
    await settle();
    await Promise.all([1, 2, 3, 4].map((n) => queue(n)));
    await settle();
    expect(left()).toHaveLength(2);
    expect((await standing()).newChats).toMatchObject({
      freeAt: end,
      limit: null,
      allowance: { total: 10, used: 7, until: end },
    });
    inbox.whatsapp.allowance = { total: null, used: 0, until: null, isReached: false };
    await pass(hours(5) + 10);
    expect(left(), "our own number counts again").toHaveLength(2);
    await pass(hours(20));
    expect(left()).toHaveLength(3);
  });
});

describe("a refusal that forbids new chats", () => {
  const refuse = async (): Promise<unknown> => {
    inbox.whatsapp.word = { code: "463" };
    const error = await inbox.sending.send(aRequest()).catch((thrown: unknown) => thrown);
    inbox.whatsapp.word = "taken";
    await settle();
    return error;
  };
  const restrictedEvents = async () =>
    (await inbox.store.events.after({ after: 0, limit: 1_000, sessions: "*" }))
      .map(({ body }) => JSON.parse(body) as { event: string; data: Record<string, unknown> })
      .filter(({ event }) => event === "session.restricted")
      .map(({ data }) => data);

  test("says so with advice, is not tried again, and strangers wait for a day where WhatsApp gives no end", async () => {
    await open({});
    const began = time.clock.now();
    const end = new Date(began.getTime() + hours(24));
    expect(await refuse()).toMatchObject({
      code: "RECIPIENT_RESTRICTED",
      details: { whatsappCode: "463", until: end.toISOString() },
    });
    const events = await inbox.store.events.after({ after: 0, limit: 100, sessions: "*" });
    const failed = events.map(({ body }) => body).find((body) => body.includes('"message.failed"'));
    expect(JSON.parse(failed ?? "{}")).toMatchObject({
      data: {
        code: "463",
        advice: adviceOnRefusal("463"),
        adviceEs: inSpanish(adviceOnRefusal("463") ?? ""),
      },
    });
    expect(await restrictedEvents()).toMatchObject([
      {
        ...{ restricted: true, until: null, heldUntil: end.toISOString(), advice: adviceOnRefusal("463") },
        text: expect.stringContaining("does not say until when") as string,
        textEs: expect.stringContaining("no dice hasta cuándo") as string,
      },
    ]);
    const held = await queue(1);
    await wrote(person(2));
    await queue(2);
    await settle();
    expect(left()).toEqual(["hola", "2"]);
    expect(held.status).toBe("pending");
    expect((await standing()).restriction).toEqual({
      ...{ since: began, until: end, isUntilKnown: false, type: null },
    });
    await pass(hours(24) + seconds(1));
    expect(left()).toEqual(["hola", "2", "1"]);
    expect(await restrictedEvents()).toMatchObject([
      { restricted: true },
      {
        ...{ restricted: false, until: null, heldUntil: null },
        text: expect.stringContaining("never said until when") as string,
      },
    ]);
    expect(inbox.whatsapp.sent.filter(({ chatId }) => chatId === ANA)).toHaveLength(1);
  });

  test("lasts until the end that WhatsApp names, over a kill, and a stranger who writes is none any more", async () => {
    await open({});
    const began = time.clock.now();
    const end = new Date(began.getTime() + hours(3));
    inbox.whatsapp.restriction = { isActive: true, until: end, type: "SOMETHING_NEW" };
    await refuse();
    expect((await standing()).restriction).toEqual({
      ...{ since: began, until: end, isUntilKnown: true, type: "SOMETHING_NEW" },
    });
    await Promise.all([queue(1), queue(2)]);
    time.forgetTimers();
    await inbox.crash();
    inbox.whatsapp.restriction = { isActive: true, until: end, type: "SOMETHING_NEW" };
    void inbox.sending.resume("s1");
    await settle();
    expect(left()).toEqual([]);
    await wrote(person(2));
    await pass(seconds(1));
    expect(left()).toEqual(["2"]);
    await pass(hours(3) + seconds(1));
    expect(left()).toEqual(["2", "1"]);
    expect((await restrictedEvents()).map(({ restricted }) => restricted)).toEqual([true, true, false]);
  });

  test("is lifted at once when WhatsApp lifts it", async () => {
    await open({});
    const until = new Date(time.clock.now().getTime() + hours(3));
    inbox.sending.heard("s1", { restriction: { isActive: true, until, type: null } });
    await settle();
    await queue(1);
    expect(left()).toEqual([]);
    inbox.sending.heard("s1", { restriction: { isActive: false, until: null, type: null } });
    await settle();
    expect(left()).toEqual(["1"]);
  });
});

describe("the switch", () => {
  test("of a session holds what may wait, refuses the rest, and lets it go when it is switched on again", async () => {
    await open({});
    const set = async (sendingEnabled: boolean): Promise<void> => {
      const session = await inbox.store.sessions.get("s1");
      if (session === null) throw new Error("no session");
      const settings = { ...session.settings, sendingEnabled };
      await inbox.store.sessions.save({ ...session, settings }, []);
    };
    await set(false);
    await expect(inbox.sending.send(aRequest())).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    expect((await queue(1)).status).toBe("pending");
    expect((await standing()).enabled).toBe(false);
    await pass(seconds(30));
    expect(left()).toEqual([]);
    await set(true);
    await pass(seconds(5));
    expect(left()).toEqual(["1"]);
  });

  test("of the hub stops every session", async () => {
    await open({ enabled: false });
    await expect(inbox.sending.send(aRequest())).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    await until("kept", async () => (await queue(1)).status === "pending");
    await pass(minutes(1));
    expect(left()).toEqual([]);
  });
});
