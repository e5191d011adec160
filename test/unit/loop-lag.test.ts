/** How late the event loop is, and what waits while it is. */
import { expect, onTestFinished, test } from "vitest";
import { createChatOrders } from "../../hub/inbox/chat-orders.ts";
import { createHistory } from "../../hub/inbox/history.ts";
import { measureLoopLag } from "../../hub/loop-lag.ts";
import { fixedClock } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

test("an event loop that stands still is noticed, and told once", async () => {
  const log = logBook();
  const lag = measureLoopLag(log);
  onTestFinished(() => lag.stop());
  expect(lag.isHigh()).toBe(false);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_300);
  await until("to be noticed", () => lag.isHigh());
  expect(lag.lagMs()).toBeGreaterThan(1_000);
  expect(log.lines("hub.overloaded")).toHaveLength(1);
});

test("a hub that is too busy shows no typing, and asks for no more history", async () => {
  const pressure = { lagMs: () => 3_000, isHigh: () => true };
  const asked: string[] = [];
  const nothing = () => {
    throw new Error("nobody is to be asked");
  };
  const link = (sessionId: string) => {
    asked.push(sessionId);
    return nothing();
  };
  const inbox = {
    chat: nothing,
    messages: nothing,
    knows: nothing,
    addresses: nothing,
    beginnings: nothing,
    coverage: nothing,
  };
  const chats = createChatOrders({
    inbox,
    link,
    ingest: Object.assign(nothing, { onRecorded: nothing }),
    pressure,
  });
  await chats.showTyping(
    { sessionId: "s1", chatId: "34600", numbering: { defaultCountry: null, nationalDigits: null } },
    "composing",
  );
  expect(asked).toEqual([]);
  const history = createHistory({ inbox, link, clock: fixedClock(), pressure });
  await expect(
    history.ask({
      sessionId: "s1",
      chatId: null,
      numbering: { defaultCountry: null, nationalDigits: null },
      days: null,
    }),
  ).rejects.toMatchObject({ code: "OVERLOADED" });
});
