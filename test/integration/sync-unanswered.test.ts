/** A CRM, or a hub, that never answers a call: the sync is left after a while, and an answer that comes late harms nothing. */
import { expect, test } from "vitest";
import { isFinal } from "../../bridge/sync/sync-job.ts";
import { minutes } from "../support/fixed-clock.ts";
import { CONTACTS, documents, fill, syncWorld } from "../support/sync-rig.ts";

/** Calls of `upsertContacts` for these sessions are answered when the test says so. */
function aWorld(held: string[]) {
  const world = syncWorld();
  for (const sessionId of ["s1", "s2", "s3"])
    fill(world.hub, { contacts: 120, chats: 2, messages: 2, sessionId });
  const names = new Set(held);
  const waiting: (() => void)[] = [];
  const { upsertContacts } = world.adapter;
  const adapter: typeof world.adapter = {
    ...world.adapter,
    upsertContacts: async (batch) => {
      if (names.has(batch.sessionId)) await new Promise<void>((resolve) => waiting.push(resolve));
      return upsertContacts(batch);
    },
  };
  const { queue } = world.begin({ adapter });
  const states = () => queue.jobs().map(({ sessionId, status }) => `${sessionId} ${status}`);
  return {
    ...world,
    queue,
    states,
    waiting,
    answersNow: () => names.clear(),
    /** What runs comes as far as it comes. */
    pass: (ms: number) => world.time.pass(ms, () => new Promise((resolve) => setImmediate(resolve))),
    settled: async (count: number) => {
      while (waiting.length < count) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("its place is free for others after twice its time, and the job says why it came to no end", async () => {
  const { queue, states, settled, pass, log } = aWorld(["s1", "s2"]);
  await queue.start();
  for (const sessionId of ["s1", "s2", "s3"]) await queue.request(sessionId, "hourly");
  await settled(2);
  await pass(minutes(19));
  expect(states()).toEqual(["s1 running", "s2 running", "s3 queued"]);
  await pass(minutes(2));
  await queue.idle();
  expect(states()).toEqual(["s1 incomplete", "s2 incomplete", "s3 completed"]);
  expect(queue.jobs("s1")).toMatchObject([
    { error: "The CRM or the hub did not answer in the time of the job; the next one goes on from here." },
  ]);
  expect(log.lines("sync.incomplete")).toHaveLength(2);
});

test("an answer after that writes its page, touches no job, and the run ends there", async () => {
  const { queue, states, settled, pass, waiting, answersNow, adapter, hub } = aWorld(["s1"]);
  await queue.start();
  await queue.request("s1", "hourly");
  await settled(1);
  await pass(minutes(21));
  await queue.idle();
  const [left] = queue.jobs("s1");
  const asked = hub.calls.length;
  answersNow();
  waiting[0]?.();
  while ((await documents(adapter, CONTACTS)).length === 0) await new Promise((r) => setImmediate(r));
  await pass(0);
  expect(queue.jobs("s1")).toEqual([left]);
  expect(hub.calls.length).toBe(asked);
  await queue.request("s1", "hourly");
  await queue.idle();
  expect(states()).toEqual(["s1 incomplete", "s1 completed"]);
  expect(await documents(adapter, CONTACTS)).toHaveLength(120);
});

test("an answer while the next job of the session runs changes nothing of that one's place", async () => {
  const { queue, states, settled, pass, waiting, answersNow, adapter } = aWorld(["s1"]);
  await queue.start();
  await queue.request("s1", "hourly");
  await settled(1);
  await pass(minutes(21));
  await queue.request("s1", "hourly");
  await settled(2);
  answersNow();
  const before = queue.jobs("s1");
  waiting[0]?.();
  while ((await documents(adapter, CONTACTS)).length === 0) await new Promise((r) => setImmediate(r));
  await pass(0);
  expect(queue.jobs("s1")).toEqual(before);
  waiting[1]?.();
  await queue.idle();
  expect(states()).toEqual(["s1 incomplete", "s1 completed"]);
  expect(queue.jobs("s1")[1]).toMatchObject({ contacts: { processed: 120, errors: 0 } });
});

test("a sync that ends in its time leaves no timer behind", async () => {
  const { queue, time } = aWorld([]);
  await queue.start();
  await queue.request("s1", "hourly");
  await queue.idle();
  expect(time.waiting()).toBe(0);
});

test("a job that is forgotten as soon as it ended is told to who waits for it", async () => {
  const world = syncWorld();
  let forgetIt: () => void = () => undefined;
  const forgotten = new Promise<void>((resolve) => (forgetIt = resolve));
  const { state } = world;
  const { queue } = world.begin({
    // Ended, and gone with its session before the disk has it.
    state: {
      ...state,
      update: async (change) => {
        await state.update(change);
        if (!state.read().jobs.some(isFinal)) return;
        await state.update((data) => {
          data.jobs = data.jobs.filter((job) => !isFinal(job));
        });
        forgetIt();
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
  });
  await queue.start();
  const { jobId } = await queue.request("gone", "manual");
  const waiting = queue.wait(jobId, 500);
  await forgotten;
  await queue.idle();
  expect(await waiting).toMatchObject({ jobId, status: "failed" });
  expect(queue.jobs()).toEqual([]);
  expect(world.log.lines("sync.state_not_kept")).toEqual([]);
});

test.each(["the time is over", "the queue is stopped"])(
  "who waits for a job that is forgotten meanwhile is told what was seen of it when %s",
  async (end) => {
    const { queue, state, settled, pass, waiting, answersNow } = aWorld(["s1"]);
    await queue.start();
    const { jobId } = await queue.request("s1", "hourly");
    await settled(1);
    const answer = queue.wait(jobId, 500);
    await state.update((data) => {
      data.jobs = [];
    });
    const stopped = end === "the time is over" ? pass(1_000) : queue.stop();
    answersNow();
    waiting[0]?.();
    await stopped;
    expect(await answer).toMatchObject({ jobId, status: "running" });
  },
);
