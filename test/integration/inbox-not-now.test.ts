/** WhatsApp answers only so many questions in a while. A message that it could not be asked about has not failed: it waits. */
import { setImmediate as immediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { aRequest, openInbox, type InboxRig } from "../support/inbox-rig.ts";
import { manualTime, type ManualTime } from "../support/manual-time.ts";

let time: ManualTime;
let inbox: InboxRig;
let tries: string[];
/** What WhatsApp still says instead of taking a message to Ana. */
let answers: HubError[];

const tooMany = (): HubError =>
  new HubError("WHATSAPP_ERROR", "WhatsApp did not take the message.", { details: { whatsappCode: 429 } });
const silent = (): HubError => new HubError("OVERLOADED", "WhatsApp does not say who is in the group.");

beforeEach(async () => {
  time = manualTime();
  inbox = await openInbox({
    ackWaitMs: 200,
    clock: time.clock,
    limits: { schedule: time.schedule, random: () => 0.5 },
  });
  tries = [];
  answers = [];
  inbox.whatsapp.onSend = ({ chatId, content }) => {
    tries.push(content.kind === "text" ? content.text : content.kind);
    const answer = chatId.startsWith("34600111222") ? answers.shift() : undefined;
    if (answer !== undefined) throw answer;
  };
});
afterEach(() => inbox.close());

const settle = async (): Promise<void> => {
  for (let n = 0; n < 50; n++) await immediate();
};
const pass = (ms: number): Promise<void> => time.pass(ms, settle);
const say = (text: string, change = {}) =>
  inbox.sending.send(aRequest({ content: { kind: "text", text }, ...change }));
const statusOf = async (id: string) => (await inbox.store.inbox.message("s1", id))?.status;

test("it leaves over the same connection a little later, before what was accepted after it; other chats do not wait", async () => {
  answers = [tooMany(), silent()];
  const first = await say("first");
  expect(first.status).toBe("pending");
  expect(inbox.sending.etaOf("s1", first.id)?.getTime()).toBe(time.clock.now().getTime() + seconds(5));
  const second = await say("second");
  expect((await say("elsewhere", { to: "34600333444" })).status).toBe("sent");
  await pass(seconds(5));
  await pass(seconds(10) - 1);
  expect(tries).toEqual(["first", "elsewhere", "first"]);
  await pass(seconds(1));
  expect(tries).toEqual(["first", "elsewhere", "first", "first", "second"]);
  expect(await Promise.all([first, second].map(({ id }) => statusOf(id)))).toEqual(["sent", "sent"]);
  expect(await inbox.events()).not.toContain("message.failed");
});

test("it is given up when its time is over, after few tries", async () => {
  answers = Array.from({ length: 100 }, tooMany);
  const { id } = await say("too late", { queue: true, ttlSeconds: 600 });
  await pass(minutes(10) - 1);
  expect(await statusOf(id)).toBe("pending");
  await pass(seconds(1));
  expect(await inbox.store.inbox.message("s1", id)).toMatchObject({ status: "failed" });
  expect(tries.length).toBeLessThan(10);
});

test("it goes out over the next connection, or in the next life, when there is one before", async () => {
  answers = [tooMany()];
  const { id } = await say("again");
  inbox.whatsapp.goesAway();
  inbox.whatsapp.comesBack();
  await pass(seconds(5));
  expect(await statusOf(id)).toBe("sent");

  answers = [tooMany()];
  const other = await say("in another life");
  time.forgetTimers();
  await inbox.crash();
  await inbox.sending.resume("s1");
  await settle();
  expect(await statusOf(other.id)).toBe("sent");
});
