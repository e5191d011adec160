/** The bridge dies before or after any one call it makes to hub, CRM or state; the next process must end what it began. */
import { describe, expect, test } from "vitest";
import { personId } from "../support/hub-records.ts";
import { mortal } from "../support/mortal.ts";
import { CHATS, CONTACTS, documents, fill, gated, MESSAGES, say, syncWorld } from "../support/sync-rig.ts";

const LIMITS = { contacts: 250, chats: 10, messagesPerChat: 230, messageChats: 3 };
const SIZE = { contacts: 250, chats: 10, messages: 230 + 5 + 5 };

function aWorld() {
  const world = syncWorld({ limits: LIMITS });
  fill(world.hub, { contacts: 250, chats: 10, messages: 0 });
  for (const chat of [1, 2]) say(world.hub, { chat, messages: 5 });
  say(world.hub, { chat: 3, messages: 240 });
  return world;
}

async function uniqueCounts({ adapter }: ReturnType<typeof aWorld>) {
  const unique = async (doctype: string, field: string) => {
    const values = (await documents(adapter, doctype)).map((document) => document[field]);
    return values.length === new Set(values).size ? values.length : `${values.length} with duplicates`;
  };
  return {
    contacts: await unique(CONTACTS, "contact_id"),
    chats: await unique(CHATS, "chat_id"),
    messages: await unique(MESSAGES, "message_id"),
  };
}

test("a sync goes on after a death at every step, and nothing is lost or doubled", async () => {
  const whole = aWorld();
  const alive = mortal(whole, Infinity);
  await alive.process.queue.start();
  await alive.process.queue.request("s1", "connected");
  await alive.process.queue.idle();
  expect(await uniqueCounts(whole)).toEqual(SIZE);
  const steps = alive.taken();
  expect(steps).toBeGreaterThan(40);

  for (let step = 2; step <= steps; step += 1) {
    const world = aWorld();
    const { process, death } = mortal(world, step);
    const ended = (async () => {
      await process.queue.start();
      await process.queue.request("s1", "connected");
      await process.queue.idle();
      return "ended";
    })();
    await Promise.race([death, ended]);
    // The hub asks again for what it was not told to be done: the webhook of the connection.
    const next = world.begin();
    await next.queue.start();
    await next.queue.request("s1", "connected");
    await next.queue.idle();
    expect(await uniqueCounts(world), `after step ${step} of ${steps}`).toEqual(SIZE);
    expect(next.queue.jobs().at(-1)?.status, `after step ${step}`).toBe("completed");
  }
});

test("a process that dies again and again at its tenth step gets through all the same", async () => {
  const world = aWorld();
  const first = mortal(world, Infinity);
  await first.process.queue.request("s1", "connected");
  for (let n = 0; n < 60 && world.state.read().jobs[0]?.status !== "completed"; n += 1) {
    const { process, death } = mortal(world, 40);
    await Promise.race([death, process.queue.start().then(process.queue.idle)]);
  }
  expect(world.state.read().jobs[0]).toMatchObject({ status: "completed", attempts: 1 });
  expect(await uniqueCounts(world)).toEqual(SIZE);
});

describe("a failure", () => {
  /** What follows it is no part of it. */
  const isOfSync = (call: string): boolean => !call.endsWith(" lookUpAll");

  test("of what is asked for pictures costs nothing", async () => {
    const world = aWorld();
    const gate = (call: string): Promise<void> =>
      isOfSync(call) ? Promise.resolve() : Promise.reject(new Error("broken"));
    const { queue } = world.begin({ hub: gated(world.hub, gate) });
    await queue.start();
    const { jobId } = await queue.request("s1", "manual");
    await queue.idle();
    expect((await queue.wait(jobId, 0)).status).toBe("completed");
    expect(world.log.lines("sync.pictures_failed")).toHaveLength(1);
  });

  test("of any one call costs a try and nothing else", async () => {
    const count = aWorld();
    let calls = 0;
    const counts = (call: string): Promise<void> => Promise.resolve(void (calls += isOfSync(call) ? 1 : 0));
    const counting = count.begin({
      hub: gated(count.hub, counts),
      adapter: gated(count.adapter, counts),
    });
    await counting.queue.start();
    await counting.queue.request("s1", "manual");
    await counting.queue.idle();

    for (let bad = 1; bad <= calls; bad += 1) {
      const world = aWorld();
      let call = 0;
      const gate = (made: string): Promise<void> => {
        call += isOfSync(made) ? 1 : 0;
        return call === bad && isOfSync(made) ? Promise.reject(new Error("broken")) : Promise.resolve();
      };
      const { queue } = world.begin({ hub: gated(world.hub, gate), adapter: gated(world.adapter, gate) });
      await queue.start();
      const { jobId } = await queue.request("s1", "manual");
      await queue.idle();
      expect(await queue.wait(jobId, 0), `call ${bad}`).toMatchObject({ status: "waiting", error: "broken" });
      await world.time.pass(10_000, queue.idle);
      expect((await queue.wait(jobId, 0)).status, `call ${bad}`).toBe("completed");
      expect(await uniqueCounts(world), `call ${bad}`).toEqual(SIZE);
      expect(
        (await documents(world.adapter, CONTACTS)).some(({ contact_id: id }) => id === personId(250)),
      ).toBe(true);
    }
  });
});
