/** How often a CRM is asked what it holds of each chat: it counts the whole session each time. */
import { expect, test } from "vitest";
import { aContact, aMessage, ANA, aSessionRecord, EVA, HIDDEN, NOW } from "../conformance/crm/records.ts";
import { batch, good, openCrm } from "../support/answering-crm.ts";
import { fixedClock, seconds } from "../support/fixed-clock.ts";

const digestOf = (chatId: string, messages: number) => ({ chatId, messages, oldest: NOW, newest: NOW });

async function countingCrm() {
  const clock = fixedClock();
  const held = new Map([ANA, EVA].map((chatId) => [chatId, 1]));
  const crm = await openCrm(
    (taken) => ({
      status: 200,
      body: {
        ...(good(taken) as { body: object }).body,
        digests: [...held].map(([chatId, messages]) => digestOf(chatId, messages)),
      },
    }),
    {},
    clock,
  );
  const { adapter } = crm;
  const counted = async (chatId: string) => (await adapter.chatDigests("s1", [chatId]))[0]?.messages;
  const asked = () => crm.taken.filter(({ path }) => path.includes("chats=1")).length;
  return { ...crm, clock, held, counted, asked };
}

test("once for all pages of chats, one after the other or at once", async () => {
  const { adapter, counted, asked } = await countingCrm();
  expect(await Promise.all([counted(ANA), counted(EVA)])).toEqual([1, 1]);
  expect(await adapter.chatDigests("s1")).toHaveLength(2);
  expect(await counted(ANA)).toBe(1);
  expect(asked()).toBe(1);
});

test("again for a chat to which messages were written, and not for others", async () => {
  const { adapter, held, counted, asked } = await countingCrm();
  await counted(ANA);
  held.set(ANA, 2);
  await adapter.upsertMessages(batch([aMessage()]));
  expect(await counted(EVA)).toBe(1);
  expect(asked()).toBe(1);
  expect(await counted(ANA)).toBe(2);
  expect(await counted(ANA)).toBe(2);
  expect(asked()).toBe(2);
});

test("again for a chat to which messages are being written while it counts", async () => {
  const { adapter, held, counted } = await countingCrm();
  const writing = adapter.upsertMessages(batch([aMessage()]));
  await counted(ANA);
  await writing;
  held.set(ANA, 2);
  expect(await counted(ANA)).toBe(2);
});

test.each<[string, (adapter: Awaited<ReturnType<typeof countingCrm>>["adapter"]) => Promise<unknown>]>([
  [
    "contacts, which may be somebody's under a hidden id",
    (adapter) => adapter.upsertContacts(batch([aContact()])),
  ],
  ["a merge", (adapter) => adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 2 })],
  ["a message of a hidden id", (adapter) => adapter.upsertMessages(batch([aMessage({ chatId: HIDDEN })]))],
  [
    "a change of a message",
    (adapter) => adapter.changeMessages(batch([{ kind: "deletion", chatId: ANA, messageId: "A", at: NOW }])),
  ],
  ["the session", (adapter) => adapter.upsertSession(aSessionRecord(), 2)],
  ["a question about all that it holds, with which a comparison begins", (adapter) => adapter.totals("s1")],
])("again after %s", async (_what, told) => {
  const { adapter, held, counted } = await countingCrm();
  await counted(ANA);
  held.set(ANA, 2);
  await told(adapter);
  expect(await counted(ANA)).toBe(2);
});

test("again after a while, and after it did not answer", async () => {
  const { clock, held, counted } = await countingCrm();
  await counted(ANA);
  held.set(ANA, 2);
  clock.advance(seconds(31));
  expect(await counted(ANA)).toBe(2);

  let isAway = true;
  const { adapter } = await openCrm((taken) => (isAway ? { status: 503 } : good(taken)));
  await expect(adapter.chatDigests("s1")).rejects.toThrow();
  isAway = false;
  expect(await adapter.chatDigests("s1")).toEqual([]);
});

test("for each session of its own", async () => {
  const { adapter, counted, asked } = await countingCrm();
  await counted(ANA);
  await adapter.chatDigests("s2");
  await adapter.totals("s2");
  await counted(ANA);
  expect(asked()).toBe(2);
});
