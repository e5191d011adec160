/** Kills and connects at random, in small: what no aimed row thinks of is looked for with every change, and long by `npm run faults`. */
import { describe } from "vitest";
import { CONNECT_ROW } from "./connect-row.ts";
import { describeRow } from "./describe-row.ts";
import { RANDOM_KILLS } from "./kill-rows.ts";

describe("at random", () => {
  for (const row of [RANDOM_KILLS, CONNECT_ROW]) describeRow(row);
});
