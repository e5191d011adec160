import { describe } from "vitest";
import { describeRow } from "./describe-row.ts";
import { KILL_ROWS } from "./kill-rows.ts";

describe("kill -9 on the road of a message", () => {
  for (const row of KILL_ROWS.filter(({ id }) => id <= "C4")) describeRow(row);
});
