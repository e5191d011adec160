import { describe, expect, test } from "vitest";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { hubDown, hubLimits } from "../support/fake-hub.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { personId } from "../support/hub-records.ts";
import { fill, later, say, syncWorld } from "../support/sync-rig.ts";

const filled = (options: Parameters<typeof syncWorld>[0] = {}) => {
  const world = syncWorld(options);
  fill(world.hub, { contacts: 450, chats: 30, messages: 10 });
  return world;
};

describe("a job whose hub or CRM fails", () => {
  test("is tried again after 10 s and 60 s, goes on where it was, and ends", async () => {
    const world = filled();
    const { queue } = world.begin();
    await queue.start();
    let isDown = true;
    world.hub.before = ({ method }) => {
      if (method === "messages" && isDown) throw hubDown();
    };
    const { jobId } = await queue.request("s1", "manual");
    await queue.idle();
    const waiting = await queue.wait(jobId, 0);
    expect(waiting).toMatchObject({ status: "waiting", attempts: 1, error: "The hub does not answer." });
    expect(waiting.contacts.processed).toBe(450);
    await world.time.pass(seconds(10), queue.idle);
    expect((await queue.wait(jobId, 0)).attempts).toBe(2);
    isDown = false;
    await world.time.pass(seconds(60), queue.idle);
    const done = await queue.wait(jobId, 0);
    expect(done).toMatchObject({ status: "completed", attempts: 3, error: null });
    expect(done.contacts.processed).toBe(450);
    expect((await world.adapter.totals("s1")).messages).toBe(200);
  });

  test("is failed after the third try, keeps its reason, and ends after a retry", async () => {
    const world = filled();
    let isDown = true;
    const crm = {
      ...world.adapter,
      upsertChats: (batch: Parameters<typeof world.adapter.upsertChats>[0]) => {
        if (isDown) throw new CrmUnavailable("The CRM is down for maintenance.");
        return world.adapter.upsertChats(batch);
      },
    };
    const { queue } = world.begin({ adapter: crm });
    await queue.start();
    const { jobId } = await queue.request("s1", "connected");
    await queue.idle();
    await world.time.pass(minutes(5), queue.idle);
    const failed = await queue.wait(jobId, 0);
    expect(failed).toMatchObject({
      status: "failed",
      attempts: 3,
      error: "The CRM is down for maintenance.",
    });
    expect(world.log.lines("sync.failed")).toHaveLength(1);

    isDown = false;
    expect(await queue.retry("all")).toBe(1);
    expect(await queue.retry(jobId)).toBe(0);
    await queue.idle();
    expect(await queue.wait(jobId, 0)).toMatchObject({ status: "completed", contacts: { processed: 450 } });
  });

  test("waits as long as the hub's Retry-After says", async () => {
    const world = filled();
    const { queue } = world.begin();
    await queue.start();
    let isLimited = true;
    world.hub.before = ({ method }) => {
      if (isLimited && method === "chats") throw hubLimits(90);
    };
    const { jobId } = await queue.request("s1", "manual");
    await queue.idle();
    isLimited = false;
    await world.time.pass(seconds(89), queue.idle);
    expect((await queue.wait(jobId, 0)).status).toBe("waiting");
    await world.time.pass(seconds(1), queue.idle);
    expect((await queue.wait(jobId, 0)).status).toBe("completed");
  });

  test("is not tried again when the session is not connected, or gone", async () => {
    const world = filled();
    world.hub.turns("s1", "disconnected");
    const { queue } = world.begin();
    await queue.start();
    await queue.request("s1", "hourly");
    await queue.request("nobody", "hourly");
    await queue.idle();
    expect(queue.jobs().map(({ status, attempts }) => [status, attempts])).toEqual([
      ["failed", 1],
      ["failed", 1],
    ]);
    expect(queue.jobs("s1")[0]?.error).toBe("The session is not connected to WhatsApp.");
  });

  test("is tried again when the session is only being connected again", async () => {
    const world = filled();
    world.hub.turns("s1", "connecting");
    const { queue } = world.begin();
    await queue.start();
    const { jobId } = await queue.request("s1", "connected");
    await queue.idle();
    expect((await queue.wait(jobId, 0)).status).toBe("waiting");
    world.hub.turns("s1", "connected");
    await world.time.pass(seconds(10), queue.idle);
    expect((await queue.wait(jobId, 0)).status).toBe("completed");
  });

  test("leaves the other sessions alone", async () => {
    const world = filled();
    fill(world.hub, { contacts: 5, chats: 1, messages: 1, sessionId: "s2" });
    world.hub.before = ({ args }) => {
      if (args[0] === "s1") throw hubDown();
    };
    const { queue } = world.begin();
    await queue.start();
    await queue.request("s1", "manual");
    await queue.request("s2", "manual");
    await queue.idle();
    expect(queue.jobs().map(({ status }) => status)).toEqual(["waiting", "completed"]);
  });
});

describe("a record the CRM refuses", () => {
  test("is counted, listed with its reason, and stops nothing; it is taken off the list when it was written", async () => {
    const world = filled();
    const bad = new Set([personId(3), personId(4)]);
    const crm = {
      ...world.adapter,
      upsertContacts: async (batch: Parameters<typeof world.adapter.upsertContacts>[0]) => {
        const results = await world.adapter.upsertContacts({
          ...batch,
          items: batch.items.filter(({ id }) => !bad.has(id)),
        });
        const next = results.values();
        return batch.items.map(({ id }) =>
          bad.has(id)
            ? { outcome: "rejected" as const, error: "Too long" }
            : (next.next().value ?? { outcome: "unchanged" as const }),
        );
      },
    };
    const { queue, failed } = world.begin({ adapter: crm });
    await queue.start();
    const { jobId } = await queue.request("s1", "manual");
    await queue.idle();
    expect(await queue.wait(jobId, 0)).toMatchObject({
      status: "completed",
      contacts: { processed: 450, created: 448, errors: 2 },
      messages: { created: 200 },
    });
    expect(failed.list("s1").map(({ kind, key, error }) => [kind, key, error])).toEqual([
      ["contact", personId(3), "Too long"],
      ["contact", personId(4), "Too long"],
    ]);
    bad.clear();
    await queue.request("s1", "reset");
    await queue.idle();
    expect(failed.list()).toEqual([]);
  });
});

describe("a job whose time is over", () => {
  test("is incomplete, and the next one goes on from its place until everything is there", async () => {
    const world = filled({ limits: { timeoutMs: minutes(1) } });
    world.hub.after = () => later(world, seconds(15));
    const { queue } = world.begin();
    await queue.start();
    const contactsRead = () =>
      world.hub.calls.filter(
        ({ method, args }) => method === "contacts" && JSON.stringify(args).includes("200"),
      ).length;
    const ends: string[] = [];
    for (let n = 0; n < 100 && ends.at(-1) !== "completed"; n += 1) {
      const { jobId } = await queue.request("s1", "hourly");
      await queue.idle();
      ends.push((await queue.wait(jobId, 0)).status);
    }
    expect(ends.length).toBeGreaterThan(2);
    expect(ends.slice(0, -1).every((end) => end === "incomplete")).toBe(true);
    expect(await world.adapter.totals("s1")).toEqual({ contacts: 450, chats: 30, messages: 200 });
    // Each page once, and the one read ahead of a run that ended.
    expect(contactsRead()).toBeLessThanOrEqual(6);
    // What changed while the pass was under way belongs to the next one.
    expect(world.state.read().syncedUntil["s1"]).toBe(Date.parse("2026-01-31T10:00:00.000Z") / 1000);
  });
});

describe("a stop", () => {
  test("ends after the page at hand; the next process goes on by itself", async () => {
    const world = filled();
    const first = world.begin();
    let stopping: Promise<void> = Promise.resolve();
    let isStopping = false;
    world.hub.after = ({ method, args }) => {
      if (isStopping || method !== "contacts" || !JSON.stringify(args).includes("cursor")) return;
      isStopping = true;
      stopping = first.queue.stop();
    };
    await first.queue.start();
    const { jobId } = await first.queue.request("s1", "manual");
    await first.queue.idle();
    await stopping;
    expect(world.state.read().jobs[0]).toMatchObject({ status: "queued", attempts: 0, step: "contacts" });

    const second = world.begin();
    await second.queue.start();
    await second.queue.idle();
    expect(await second.queue.wait(jobId, 0)).toMatchObject({
      status: "completed",
      contacts: { processed: 450 },
    });
  });

  test("before the start nothing runs, and nothing that was asked for is lost", async () => {
    const world = filled();
    const { queue } = world.begin();
    const { jobId } = await queue.request("s1", "connected");
    await queue.idle();
    expect((await queue.wait(jobId, 0)).status).toBe("queued");
    await queue.start();
    await queue.idle();
    expect((await queue.wait(jobId, 0)).status).toBe("completed");
  });
});

test("who waits for a job gets it when it ends, or as it is after a while", async () => {
  const world = filled();
  const { queue } = world.begin();
  await queue.start();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  world.hub.before = ({ method }) => (method === "chats" ? held : undefined);
  const { jobId } = await queue.request("s1", "manual");
  const patient = queue.wait(jobId, minutes(1));
  const hasty = queue.wait(jobId, seconds(5));
  await world.time.pass(seconds(5), () => Promise.resolve());
  expect((await hasty).status).toBe("running");
  release();
  expect((await patient).status).toBe("completed");
  expect(() => queue.jobs("s1")).not.toThrow();
  await expect(queue.wait("nothing", 0)).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
});

test("a state that cannot be written stops no job for good", async () => {
  const world = filled();
  let written = 0;
  const full = new Set([2, 3, 6, 9]);
  const state = {
    ...world.state,
    update: async (change: Parameters<typeof world.state.update>[0]) => {
      await world.state.update(change);
      written += 1;
      if (full.has(written)) throw new Error("ENOSPC");
    },
  };
  const { queue } = world.begin({ state });
  await queue.start();
  const { jobId } = await queue.request("s1", "manual");
  await queue.idle();
  await world.time.pass(minutes(2), queue.idle);
  expect((await queue.wait(jobId, 0)).status).toBe("completed");
  expect(world.log.lines("sync.state_not_kept").length).toBeGreaterThan(0);
  expect(await world.adapter.totals("s1")).toEqual({ contacts: 450, chats: 30, messages: 200 });
});

test("a cursor that the hub refuses begins the list again and doubles nothing", async () => {
  const world = filled({ limits: { timeoutMs: 1 } });
  const { queue } = world.begin();
  world.hub.after = () => later(world, 1);
  await queue.start();
  await queue.request("s1", "hourly");
  await queue.idle();
  expect(queue.jobs()[0]?.status).toBe("incomplete");
  await world.state.update((data) => {
    const [job] = data.jobs;
    if (job?.checkpoint)
      job.checkpoint = { ...job.checkpoint, cursor: JSON.stringify({ name: "another", key: ["x"] }) };
  });
  world.hub.after = () => undefined;
  say(world.hub, { chat: 30, messages: 1, from: 10 });
  await queue.request("s1", "hourly");
  await queue.idle();
  expect(queue.jobs().at(-1)?.status).toBe("completed");
  expect(await world.adapter.totals("s1")).toMatchObject({ contacts: 450, chats: 30 });
});
