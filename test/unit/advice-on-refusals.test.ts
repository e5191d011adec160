import { expect, test } from "vitest";
import { adviceOnRefusal, ALL_ADVICE, RESTRICTED } from "../../hub/core/advice-on-refusals.ts";
import { hasSpanish } from "../../hub/core/advice.ts";

test("what helps after a refusal is there in both languages, and nothing is made up for what is unknown", () => {
  expect(adviceOnRefusal(RESTRICTED)).toMatch(/write first/);
  expect(adviceOnRefusal("999")).toBeNull();
  for (const advice of ALL_ADVICE) expect([advice, hasSpanish(advice)]).toEqual([advice, true]);
});
