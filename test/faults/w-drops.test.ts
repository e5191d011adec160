/** W22: a line that is down for 2, 10 and 20 s, on real connections; the sessions' time is moved by hand. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../hub/core/clock.ts";
import { createNudge } from "../../hub/core/nudge.ts";
import { createAddressGuard } from "../../hub/core/webhook-address.ts";
import { createContacts } from "../../hub/inbox/contacts.ts";
import { createIngest } from "../../hub/inbox/ingest.ts";
import { createMedia } from "../../hub/inbox/media.ts";
import { createSending } from "../../hub/inbox/send.ts";
import { seconds } from "../support/fixed-clock.ts";
import { aRequest } from "../support/inbox-rig.ts";
import { logBook } from "../support/log-book.ts";
import { manualTime, type ManualTime } from "../support/manual-time.ts";
import { openSessionsHub, type SessionsHub } from "../support/sessions-hub.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();
const log = logBook();

/** The way out, on the store and the links of a hub whose sessions are real. */
async function aSender(hub: SessionsHub, options: { ackWaitMs?: number } = {}) {
  const dir = await mkdtemp(join(tmpdir(), "w22-"));
  const { store } = hub;
  const nudge = createNudge();
  const ingest = createIngest({ inbox: store.inbox, clock: systemClock, nudge });
  const link = (sessionId: string) => hub.sessions.link(sessionId);
  const guard = createAddressGuard({ allowCidrs: [], allowedUrls: [] });
  const shared = { link, clock: systemClock, log };
  const media = createMedia({ ...shared, media: store.media, dir, guard });
  const contacts = createContacts({ ...store, ...shared, tokens: store.media, media, ingest });
  const sending = createSending({ ...store, ...shared, media, contacts, ingest, nudge, ...options });
  onTestFinished(async () => {
    await sending.stop();
    await rm(dir, { recursive: true, force: true });
  });
  return sending;
}

/** A second of the sessions' time; a try that falls into it has failed or opened when it is over. */
function secondsOf(hub: SessionsHub, time: ManualTime): () => Promise<void> {
  let seen: number | null = null;
  const settle = async (): Promise<void> => {
    await hub.sessions.idle();
    const { attempts } = await hub.sessions.figures("s1");
    const isNew = seen !== null && attempts > seen;
    seen = attempts;
    if (!isNew) return;
    await until("what became of the try", async () => {
      const { lostAt, reason } = await hub.sessions.get("s1");
      return lostAt === null || reason?.at.getTime() === time.clock.now().getTime();
    });
  };
  return () => time.pass(seconds(1), settle);
}

test("W22: what was sent into a line that was dead already arrives over the next one, once and in order", async () => {
  const emulator = bed.emulator();
  const { number: account } = emulator.createAccount({ preset: "small", size: { messages: 0 } });
  const opened: ((sessionId: string) => void)[] = [];
  const hub = await openSessionsHub(emulator, {
    onOpened: (sessionId) => opened.forEach((resume) => resume(sessionId)),
  });
  await hub.linked("s1", account);
  const sending = await aSender(hub, { ackWaitMs: 50 });
  opened.push((sessionId) => void sending.resume(sessionId));
  const [first, second] = emulator.contacts(account).map(({ number }) => number);
  const say = async (text: string, to = first) => {
    const content = { kind: "text" as const, text };
    const { id } = await sending.send(aRequest({ to: to ?? "", content }));
    return id;
  };
  // Whom it never wrote to it would have to ask WhatsApp about.
  for (const to of [first, second]) await say("heard", to);
  await until("the first ones", () => emulator.sent({ account }).length === 2);
  emulator.fault({ kind: "silent", account, on: true });
  const ids = [await say("one"), await say("two"), await say("of another", second)];
  await until("all were handed over", async () => (await hub.store.sends.countWaiting("s1")) === 0);
  expect(emulator.sent({ account })).toHaveLength(2);
  emulator.fault({ kind: "reset", account });
  await until("all arrived", () => emulator.sent({ account }).length === 5);
  await until("WhatsApp's word on all", async () => {
    const page = await hub.store.inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 10 });
    return page.items.every(({ status }) => status !== "pending");
  });
  await sending.idle();
  const arrived = emulator.sent({ account }).slice(2);
  expect(arrived.map(({ id }) => id).sort()).toEqual(ids.sort());
  expect(arrived.map(({ times }) => times)).toEqual([1, 1, 1]);
  const inOneChat = arrived.map(({ text }) => text).filter((text) => text !== "of another");
  expect(inOneChat).toEqual(["one", "two"]);
}, 60_000);

test.each<[number, string[]]>([
  [2, []],
  [10, []],
  [20, ["session.disconnected reconnecting", "session.connected connected"]],
])(
  "W22: of a line that was down for %i s is told %j, and what was sent meanwhile arrives once",
  async (downSeconds, news) => {
    const emulator = bed.emulator();
    const { number: account } = emulator.createAccount({ preset: "small", size: { messages: 0 } });
    const opened: ((sessionId: string) => void)[] = [];
    const time = manualTime();
    const hub = await openSessionsHub(emulator, {
      clock: time.clock,
      schedule: (ms, work) => time.schedule(ms, work),
      onOpened: (sessionId) => opened.forEach((resume) => resume(sessionId)),
    });
    await hub.linked("s1", account);
    const sending = await aSender(hub);
    opened.push((sessionId) => void sending.resume(sessionId));
    const told = (await hub.news("s1")).length;
    const second = secondsOf(hub, time);
    await second();

    const people = emulator.contacts(account).map(({ number }) => number);
    const say = (n: number) => {
      const content = { kind: "text" as const, text: `sent ${n}` };
      return sending.send(aRequest({ to: people[n % people.length] ?? "", content, queue: true }));
    };
    emulator.fault({ kind: "reject-upgrade", count: null });
    emulator.fault({ kind: "reset", account });
    await until("the loss", async () => (await hub.sessions.get("s1")).lostAt !== null);
    await Promise.all([say(0), say(1), say(2)]);
    for (let n = 0; n < downSeconds; n++) await second();
    emulator.clearFaults();
    for (let n = 0; n < 60 && (await hub.sessions.get("s1")).lostAt !== null; n++) await second();
    expect(await hub.sessions.get("s1")).toMatchObject({ state: "connected", lostAt: null });
    await until("the sends", () => emulator.sent({ account }).length === 3);
    await sending.idle();

    expect((await hub.news("s1")).slice(told)).toEqual(news);
    const arrived = emulator.sent({ account }).map(({ text, times }) => [text, times]);
    expect(arrived.sort()).toEqual([0, 1, 2].map((n) => [`sent ${n}`, 1]));
    await until("WhatsApp's word on all", async () => {
      const page = await hub.store.inbox.messages({ sessionId: "s1", order: "asc", page: 1, limit: 10 });
      return page.total === 3 && page.items.every(({ status }) => status !== "pending");
    });
  },
  60_000,
);
