import { describe, expect, test } from "vitest";
import { isTimeUp, pageSize, planOf } from "../../bridge/sync/budget.ts";
import {
  afterMessages,
  afterPage,
  nextStep,
  startOfPass,
  stepAfter,
  withChats,
} from "../../bridge/sync/checkpoint.ts";
import { isComplete } from "../../bridge/sync/choose-chats.ts";
import { questionOf } from "../../bridge/sync/compare-chat.ts";
import { createShortfall } from "../../bridge/sync/shortfall.ts";
import { ALL_PARTS } from "../../bridge/sync/sync-job.ts";
import { percentOf, progressOf } from "../../bridge/sync/sync-progress.ts";
import { placeRequest } from "../../bridge/sync/sync-job.ts";
import { T0, T0_SECONDS } from "../support/builders.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";

describe("the budget", () => {
  test("asks for no more than is left, and for pages of 100 at most", () => {
    expect([
      pageSize(1000, 0),
      pageSize(1000, 900),
      pageSize(1000, 1000),
      pageSize(50, 0),
      pageSize(0, 0),
    ]).toEqual([100, 100, 0, 50, 0]);
  });

  test("is over after its time", () => {
    const limits = { timeoutMs: minutes(10) };
    expect(isTimeUp(minutes(10) - 1, limits)).toBe(false);
    expect(isTimeUp(minutes(10), limits)).toBe(true);
  });

  test("plans no more than the limits, and no more than there is", () => {
    const limits = {
      contacts: 1000,
      chats: 100,
      messagesPerChat: 50,
      messageChats: 20,
      timeoutMs: 1,
    };
    expect(planOf({ contacts: 5000, chats: 300 }, limits)).toEqual({
      contacts: 1000,
      chats: 100,
      messages: 1000,
    });
    expect(planOf({ contacts: 5, chats: 3 }, limits)).toEqual({ contacts: 5, chats: 3, messages: 150 });
  });
});

describe("the place of a pass", () => {
  const start = startOfPass(ALL_PARTS, T0_SECONDS, null);

  test("goes from contacts over chats and messages to stats", () => {
    expect(start).toMatchObject({ step: "contacts", since: null, begun: T0_SECONDS });
    const inside = afterPage(start, { done: 200, nextCursor: "c1", isLast: false }, ALL_PARTS);
    expect(inside).toMatchObject({ step: "contacts", cursor: "c1", done: 200 });
    const chats = afterPage(inside, { done: 250, nextCursor: null, isLast: true }, ALL_PARTS);
    expect(chats).toMatchObject({ step: "chats", cursor: null, done: 0 });
    const chosen = withChats(nextStep(chats, ALL_PARTS), ["a", "b"], ALL_PARTS);
    expect(chosen).toMatchObject({ step: "messages", chatIds: ["a", "b"] });
    const page = { chatId: "a", items: 200, done: 200, nextCursor: "c2", isLast: false };
    const within = afterMessages(chosen, page, ALL_PARTS);
    expect(within).toMatchObject({ chatIds: ["a", "b"], cursor: "c2", inChat: 200, done: 200 });
    const second = afterMessages(within, { ...page, items: 10, done: 210, isLast: true }, ALL_PARTS);
    expect(second).toMatchObject({ chatIds: ["b"], cursor: null, inChat: 0, done: 210 });
    expect(afterMessages(second, { ...page, chatId: "b", isLast: true }, ALL_PARTS).step).toBe("stats");
  });

  test("leaves out the parts nobody asked for", () => {
    expect(stepAfter("check", { contacts: false, chats: false, messages: true })).toBe("messages");
    expect(stepAfter("contacts", { contacts: true, chats: false, messages: false })).toBe("stats");
    expect(withChats(start, [], { contacts: true, chats: true, messages: false }).step).toBe("chats");
  });

  test("begins some minutes before the end of the last one", () => {
    expect(startOfPass(ALL_PARTS, T0_SECONDS, T0_SECONDS - 3600).since).toBe(T0_SECONDS - 3600 - 120);
  });
});

describe("a chat", () => {
  const chat = { totalMessages: 200, lastMessage: null, lastMessageAt: 5000 };
  const digest = { chatId: "a", messages: 50, oldest: 1000, newest: 5000 };
  const limits = { messageChats: 20, messagesPerChat: 50 };

  test("has nothing new when the CRM has what a sync brings, and the newest message", () => {
    expect(isComplete(chat, digest, limits)).toBe(true);
    expect(isComplete(chat, { ...digest, newest: 4999 }, limits)).toBe(false);
    expect(isComplete(chat, { ...digest, messages: 49 }, limits)).toBe(false);
    expect(isComplete(chat, undefined, limits)).toBe(false);
    expect(isComplete({ ...chat, totalMessages: 0, lastMessageAt: null }, undefined, limits)).toBe(true);
  });

  test("is compared by what the CRM holds of it, not by what the limits keep out", () => {
    const ask = (change: Partial<Parameters<typeof questionOf>[0]>) =>
      questionOf({ chat, rank: 0, held: digest, oldestBefore: undefined, ...change }, limits);
    const full = { ...chat, totalMessages: 50 };
    expect(ask({ chat: full })).toEqual({ ask: "same" });
    expect(ask({ chat: { ...full, lastMessageAt: 4999 } })).toEqual({ ask: "newest" });
    expect(ask({ chat: { ...full, totalMessages: 40 } })).toEqual({ ask: "same" });
    expect(ask({ chat: { ...full, totalMessages: 40, lastMessageAt: 5001 } })).toEqual({ ask: "newest" });
    expect(ask({})).toEqual({ ask: "range", since: 1000 });
    expect(ask({ held: { ...digest, messages: 49 } })).toEqual({ ask: "newest" });
    expect(ask({ held: { ...digest, messages: 49 }, rank: 20 })).toEqual({ ask: "range", since: 1000 });
    expect(ask({ held: undefined })).toEqual({ ask: "newest" });
    expect(ask({ held: undefined, rank: 20 })).toEqual({ ask: "same" });
    expect(ask({ held: undefined, rank: 20, oldestBefore: 900 })).toEqual({ ask: "range", since: 900 });
    expect(ask({ oldestBefore: 900 })).toEqual({ ask: "range", since: 900 });
  });
});

test("what the CRM lacked after everything was read is not missed again, what it loses then is", () => {
  const shortfall = createShortfall({ contacts: 100, chats: 10 });
  const hub = { contacts: 500, chats: 5 };
  expect(shortfall.missing("s1", hub, { contacts: 98, chats: 5 })).toEqual({ contacts: 2, chats: 0 });
  shortfall.accept("s1", hub, { contacts: 98, chats: 5 });
  expect(shortfall.missing("s1", hub, { contacts: 98, chats: 5 })).toEqual({ contacts: 0, chats: 0 });
  expect(shortfall.missing("s1", hub, { contacts: 90, chats: 4 })).toEqual({ contacts: 8, chats: 1 });
});

test("what the CRM has beyond the hub, or got since, hides nothing that it loses later", () => {
  const shortfall = createShortfall({ contacts: 100, chats: 10 });
  const missing = (contacts: number, chats: number) =>
    shortfall.missing("s1", { contacts: 50, chats: 5 }, { contacts, chats });
  expect(missing(53, 5)).toEqual({ contacts: 0, chats: 0 });
  expect(missing(51, 7)).toEqual({ contacts: 2, chats: 0 });
  shortfall.accept("s1", { contacts: 50, chats: 5 }, { contacts: 51, chats: 7 });
  expect(missing(51, 7)).toEqual({ contacts: 0, chats: 0 });
  expect(missing(51, 6)).toEqual({ contacts: 0, chats: 1 });
});

describe("progress", () => {
  const { job } = placeRequest(
    [],
    { sessionId: "s1", reason: "manual", parts: ALL_PARTS },
    { jobId: "j", now: T0 },
  );

  test("goes from 0 to 100 and stands at 5, 25, 50 and 75 where the steps begin", () => {
    const at = (step: typeof job.step, done = 0, total = 0) =>
      percentOf({ ...job, status: "running", step, done, total });
    expect([at("check"), at("contacts"), at("chats"), at("messages"), at("stats")]).toEqual([
      0, 5, 25, 50, 75,
    ]);
    expect(at("contacts", 500, 1000)).toBe(15);
    expect(at("contacts", 5, 4)).toBe(25);
    expect(percentOf({ ...job, status: "completed" })).toBe(100);
  });

  test("says how fast it goes and how long it will take, later steps included", () => {
    const tally = { ...job.contacts, processed: 300 };
    const running = {
      ...job,
      status: "running" as const,
      step: "contacts" as const,
      done: 300,
      total: 500,
      contacts: tally,
    };
    const pace = { takenUpAt: T0, recordsBefore: 100, plan: { contacts: 500, chats: 50, messages: 150 } };
    expect(progressOf(running, pace, new Date(T0.getTime() + seconds(2)))).toMatchObject({
      ratePerSecond: 100,
      etaSeconds: 4,
    });
    expect(progressOf(running, pace, T0)).toMatchObject({ ratePerSecond: null, etaSeconds: null });
    const begun = { ...running, contacts: { ...tally, processed: 101 } };
    const after = (ms: number) => progressOf(begun, pace, new Date(T0.getTime() + ms)).etaSeconds;
    expect(after(seconds(2))).toBeNull(); // one record of hundreds tells nothing of the rest
    expect(after(seconds(15))).toBeGreaterThan(0);
  });
});
