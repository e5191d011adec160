import { expect, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { createReplays } from "../../hub/outbox/replays.ts";
import { logBook } from "../support/log-book.ts";
import { openOutboxRig, type OutboxRig } from "../support/outbox-rig.ts";
import { seconds } from "../support/fixed-clock.ts";
import { until } from "../support/until.ts";

const by = "key_1";
const delivered = async (rig: OutboxRig, count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await rig.says(`3460000${1000 + (n % 7)}`, `${n}`);
  await rig.dispatcher.idle();
};

test("one delivery is sent again with the same id and bytes, a new time and signature, and marked", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm);
  await delivered(rig, 1);
  rig.clock.advance(seconds(90));
  const [delivery] = await rig.deliveries();
  await rig.replays.replayOne(delivery?.n ?? 0, { by });
  await rig.dispatcher.idle();
  const [first, again] = crm.requests();
  if (first === undefined || again === undefined) throw new Error("it was not sent twice");
  expect(again.webhookId).toBe(first.webhookId);
  expect(again.body).toBe(first.body);
  expect(again.replay).toBe(true);
  expect(first.replay).toBe(false);
  expect(again.headers["webhook-signature"]).not.toBe(first.headers["webhook-signature"]);
  expect(again.headers["x-webhook-signature"]).toBe(first.headers["x-webhook-signature"]);
  expect(again.fault).toBeNull();
});

test("a filter is replayed in slices, everything once, in order per chat", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  const { id } = await rig.endpoint(crm);
  await delivered(rig, 1200);
  rig.clock.advance(seconds(1));
  const filter = { endpointId: id, state: "delivered" as const };
  expect(await rig.replays.start(filter, { dryRun: true, by })).toEqual({ job: null, matched: 1200 });
  const { job, matched } = await rig.replays.start(filter, { dryRun: false, by });
  expect(job).toMatch(/^job_/);
  expect(matched).toBe(1200);
  await expect(rig.replays.start(filter, { dryRun: false, by })).rejects.toMatchObject({
    code: "STATE_CONFLICT",
  });
  await rig.replays.idle();
  await rig.dispatcher.idle();

  const replays = crm.requests().filter(({ replay }) => replay);
  expect(replays).toHaveLength(1200);
  expect(new Set(replays.map(({ webhookId }) => webhookId)).size).toBe(1200);
  const latest = new Map<string | null, number>();
  for (const { chatId, seq } of replays) {
    expect(seq).toBeGreaterThan(latest.get(chatId) ?? 0);
    latest.set(chatId, seq);
  }
  expect(rig.logged("replay.completed")).toMatchObject([{ job, replayed: 1200 }]);
});

test("a slice that the disk refuses is made later, and nothing before it again", async () => {
  let untilRefusal = 2;
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm);
  await delivered(rig, 1100);
  const { outbox } = rig.store;
  const shaky = {
    ...outbox,
    continueReplay: (...asked: Parameters<typeof outbox.continueReplay>) =>
      untilRefusal-- === 0
        ? Promise.reject(new HubError("STORE_UNAVAILABLE", "full"))
        : outbox.continueReplay(...asked),
  };
  const log = logBook();
  const first = createReplays({ outbox: shaky, clock: rig.clock, nudge: rig.nudge, log });
  await first.start({ state: "delivered" }, { dryRun: false, by });
  await until("the refusal", () => log.lines("replay.failed").length > 0);
  // Stopped while it waits: another process takes the job up.
  await first.stop();
  await rig.replays.resume();
  await rig.replays.idle();
  await rig.dispatcher.idle();
  expect(rig.logged("replay.completed")).toMatchObject([{ replayed: 1100 }]);
  expect(crm.requests().filter(({ replay }) => replay)).toHaveLength(1100);
});

test("what is parked is replayed or dismissed", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm);
  crm.answers({ kind: "answer", status: 422 });
  await rig.says("34600111222");
  await rig.says("34600333444");
  for (const wait of [0, 5, 30, 120, 600, 1800]) await rig.after(seconds(wait));
  const dead = await rig.deliveries({ state: "dead" });
  expect(dead).toHaveLength(2);

  crm.answers();
  await rig.replays.replayOne(dead[0]?.n ?? 0, { by });
  expect(await rig.replays.dismiss({ n: dead[1]?.n ?? 0 }, { by, reason: "not needed" })).toBe(1);
  await rig.dispatcher.idle();
  expect((await rig.deliveries()).map(({ state }) => state).sort()).toEqual(["delivered", "dismissed"]);
  expect(rig.logged("deliveries.dismissed")).toMatchObject([{ by, reason: "not needed", dismissed: 1 }]);
});
