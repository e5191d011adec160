/** Pictures are asked for with one word to the hub: whatever it answers, the sync is done. */
import { expect, test } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import { createAvatars } from "../../bridge/sync/avatars.ts";
import { logBook } from "../support/log-book.ts";

test.each([
  ["of a hub of before is told once", new HubUnavailable("Unknown.", { status: 404, code: "NOT_FOUND" }), 1],
  ["of a hub that is away is told each time", new HubUnavailable("No answer."), 3],
  [
    "of a session that is gone is told each time",
    new HubUnavailable("Gone.", { status: 404, code: "SESSION_NOT_FOUND" }),
    3,
  ],
])("the refusal %s, and hurts nobody", async (_of, refusal, told) => {
  const log = logBook();
  const askForAvatars = createAvatars({ hub: { lookUpAll: () => Promise.reject(refusal) }, most: 10, log });
  for (let n = 0; n < 3; n += 1) await askForAvatars("s1");
  expect(log.lines()).toHaveLength(told);
  expect(new Set(log.lines().map(({ level }) => level))).toEqual(new Set(["warn"]));
});
