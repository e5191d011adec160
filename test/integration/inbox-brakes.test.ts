/** What our own brakes must not do to others: held strangers block no customer, no wait costs a message, no state outlives its account. */
import { setImmediate as immediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NO_LIMITS, type SendLimits } from "../../hub/inbox/send-limits.ts";
import { aMessageFact } from "../support/builders.ts";
import { hours, minutes, seconds } from "../support/fixed-clock.ts";
import { aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { manualTime, type ManualTime } from "../support/manual-time.ts";

let time: ManualTime;
let inbox: InboxRig;
beforeEach(() => {
  time = manualTime();
});
afterEach(() => inbox.close());

const open = async (limits: Partial<SendLimits>): Promise<void> => {
  inbox = await openInbox({
    ackWaitMs: 200,
    clock: time.clock,
    limits: { limits: { ...NO_LIMITS, ...limits }, schedule: time.schedule, random: () => 0 },
  });
};
const settle = async (): Promise<void> => {
  for (let n = 0; n < 50; n++) await immediate();
};
const pass = (ms: number): Promise<void> => time.pass(ms, settle);
const person = (n: number): string => `34600222${String(n).padStart(3, "0")}`;
const jid = (n: number): string => `${person(n)}@s.whatsapp.net`;
const queue = (n: number, text = `${n}`, change = {}) =>
  inbox.sending.send(aRequest({ to: person(n), queue: true, content: { kind: "text", text }, ...change }));
const left = (): string[] =>
  inbox.whatsapp.sent.map(({ content }) => (content.kind === "text" ? content.text : content.kind));
const wrote = (n: number) =>
  inbox.parts.ingest({ sessionId: "s1", facts: [aMessageFact({ chatId: jid(n) })], closes: [] });
const restrict = async (ms: number): Promise<void> => {
  const until = new Date(time.clock.now().getTime() + ms);
  inbox.sending.heard("s1", { restriction: { isActive: true, until, type: null } });
  await settle();
};
const statusOf = async (id: string) => (await inbox.store.inbox.message("s1", id))?.status;
const session = async () => {
  const found = await inbox.store.sessions.get("s1");
  if (found === null) throw new Error("no session");
  return found;
};
const sendingIs = async (sendingEnabled: boolean): Promise<void> => {
  const { settings, ...rest } = await session();
  await inbox.store.sessions.save({ ...rest, settings: { ...settings, sendingEnabled } }, []);
};

describe("strangers who are held", () => {
  test("fill a queue of their own: who wrote is answered all the same", async () => {
    await open({ queue: 3 });
    await wrote(50);
    await restrict(hours(5));
    await Promise.all([queue(1), queue(2), queue(3)]);
    const full = { code: "MESSAGE_RATE_LIMIT_EXCEEDED" };
    await expect(queue(4)).rejects.toMatchObject(full);
    expect((await queue(50, "answer")).status).toBe("sent");
    expect((await inbox.sending.standing("s1")).waiting).toBe(3);
    inbox.whatsapp.goesAway();
    await Promise.all([queue(50), queue(50), queue(50)]);
    await expect(queue(50)).rejects.toMatchObject(full);
    await expect(queue(4)).rejects.toMatchObject(full);
  });

  test("are not all looked at again when one of them writes", async () => {
    await open({});
    await restrict(hours(5));
    await Promise.all(Array.from({ length: 40 }, (_, n) => queue(n)));
    await queue(41);
    await settle();
    const asked = vi.spyOn(inbox.store.sends, "acquaintance");
    await wrote(7);
    await pass(seconds(1));
    expect(left()).toEqual(["7"]);
    expect(asked.mock.calls.length).toBeLessThan(6);
    expect(new Set(asked.mock.calls.map(([, chatId]) => chatId))).toEqual(new Set([jid(7)]));
  });

  test("ask once between them how many chats were opened", async () => {
    await open({ newChatsPerDay: 1 });
    await queue(1);
    await Promise.all(Array.from({ length: 40 }, (_, n) => queue(n + 2)));
    await settle();
    await pass(seconds(5));
    const asked = vi.spyOn(inbox.store.sends, "opened");
    inbox.sending.heard("s1", { allowance: { total: null, used: 0, until: null, isReached: false } });
    await settle();
    expect(asked.mock.calls.length).toBe(1);
    expect(left()).toEqual(["1"]);
  });
});

describe("a wait that is ours", () => {
  test("costs no message while sending is switched off, however long, and over a kill", async () => {
    await open({});
    await sendingIs(false);
    const kept = await Promise.all([queue(1), queue(1, "second"), queue(2)]);
    const timed = await queue(3, "timed", { ttlSeconds: 60 });
    await pass(hours(3));
    expect(await statusOf(timed.id)).toBe("failed");
    time.forgetTimers();
    await inbox.crash();
    void inbox.sending.resume("s1");
    await settle();
    await pass(hours(3));
    await inbox.sending.giveUpOverdue();
    for (const { id } of kept) expect(await statusOf(id)).toBe("pending");
    await sendingIs(true);
    await pass(seconds(10));
    expect(left().sort()).toEqual(["1", "2", "second"]);
  });

  test("costs none either while the session is not connected beside", async () => {
    await open({});
    await sendingIs(false);
    inbox.whatsapp.goesAway();
    const kept = await queue(1);
    const timed = await queue(3, "timed", { ttlSeconds: 60 });
    for (let n = 0; n < 3; n++) {
      await pass(minutes(61));
      await inbox.sending.giveUpOverdue();
    }
    expect(await statusOf(kept.id)).toBe("pending");
    expect(await statusOf(timed.id)).toBe("failed");
  });

  test("costs none at a slow pace", async () => {
    await open({ perMinute: 0.5 });
    const slow = await Promise.all(Array.from({ length: 40 }, (_, n) => queue(n)));
    await pass(minutes(90));
    for (const { id } of slow) expect(await statusOf(id)).not.toBe("failed");
    expect(left()).toHaveLength(40);
  });

  test("costs nobody who waits behind one to the same stranger, held for a day", async () => {
    await open({});
    await restrict(hours(24));
    await queue(1, "first");
    const second = await queue(1, "second");
    await pass(hours(24) + seconds(5));
    expect(left()).toEqual(["first", "second"]);
    expect(await statusOf(second.id)).toBe("sent");
  });
});

describe("what is known of an account", () => {
  const restricted = async () => (await inbox.sending.standing("s1")).restriction;

  test("is forgotten with another number, over a kill as well; the same number keeps it", async () => {
    await open({});
    await restrict(hours(5));
    const before = await session();
    const out = { ...before, phoneNumber: null };
    inbox.sending.moved(before, out);
    inbox.sending.moved(out, before);
    await settle();
    expect(await restricted()).not.toBeNull();
    inbox.sending.moved(before, out);
    inbox.sending.moved(out, { ...before, phoneNumber: "34600777666" });
    await settle();
    expect(await restricted()).toBeNull();
    expect((await inbox.events()).filter((name) => name === "session.restricted")).toHaveLength(2);
    time.forgetTimers();
    await inbox.crash();
    expect(await restricted()).toBeNull();
  });

  test("when a restriction began, and of what kind it is, outlives a kill; one that begins later is another", async () => {
    await open({});
    const began = time.clock.now();
    const tell = async (type: string | null, forMs: number): Promise<void> => {
      const until = new Date(time.clock.now().getTime() + forMs);
      inbox.sending.heard("s1", { restriction: { isActive: true, until, type } });
      await settle();
    };
    const kill = async (): Promise<void> => {
      time.forgetTimers();
      await inbox.crash();
    };
    await tell(null, hours(5));
    await pass(hours(1));
    await tell("BIZ_QUALITY", hours(6));
    expect(await restricted()).toMatchObject({ since: began, type: "BIZ_QUALITY" });
    await pass(hours(1));
    await kill();
    expect(await restricted()).toMatchObject({ since: began, type: "BIZ_QUALITY" });
    await pass(hours(1));
    await tell(null, hours(6));
    await kill();
    expect(await restricted()).toMatchObject({ since: began, type: null });

    await pass(hours(7));
    expect(await restricted()).toBeNull();
    await kill();
    await tell("NEW_KIND", hours(1));
    const later = time.clock.now();
    await pass(minutes(30));
    await kill();
    expect(await restricted()).toMatchObject({ since: later, type: "NEW_KIND" });
  });

  test("is forgotten with a session that is deleted: its name comes back without it", async () => {
    await open({ newChatsPerDay: 1 });
    inbox.sending.heard("s1", { allowance: { total: 10, used: 10, until: null, isReached: true } });
    await restrict(hours(5));
    const before = await session();
    const deleted = { ...before, deletedAt: time.clock.now() };
    await inbox.store.sessions.save(deleted, []);
    inbox.sending.moved(before, deleted);
    await settle();
    await inbox.store.sessions.create(before);
    expect(await inbox.sending.standing("s1")).toMatchObject({
      restriction: null,
      newChats: { allowance: null, freeAt: null },
    });
    time.forgetTimers();
    await inbox.crash();
    expect(await restricted()).toBeNull();
  });
});
