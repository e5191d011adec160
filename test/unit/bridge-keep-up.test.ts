import { expect, onTestFinished, test } from "vitest";
import { createKeepUp } from "../../bridge/keep-up.ts";
import { hubDown } from "../support/fake-hub.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

test("the events are read and then the endpoint is looked after, also when the hub or the bridge fails", async () => {
  const log = logBook();
  const told: string[] = [];
  const failures: unknown[] = [undefined, hubDown(), new TypeError("nobody foresaw it")];
  const keepUp = createKeepUp({
    feed: {
      read: () => {
        told.push("read");
        const failure = failures.shift();
        return failure instanceof Error ? Promise.reject(failure) : Promise.resolve();
      },
    },
    subscription: { renew: () => told.push("renew") },
    log,
    cron: "* * * * * *",
  });
  onTestFinished(() => keepUp.stop());
  await keepUp.start();
  await until("it did so three times", () => told.length >= 6, { timeoutMs: 10_000 });
  await keepUp.stop();
  expect(told.slice(0, 6)).toEqual(["read", "renew", "read", "renew", "read", "renew"]);
  expect(log.lines("keep_up.feed_not_read")).toHaveLength(1);
  expect(log.lines("keep_up.feed_failed")).toHaveLength(1);
});
