import { describe } from "vitest";
import { HALF_DONE_ROWS } from "./c-rows.ts";
import { describeRow } from "./describe-row.ts";

describe("kill -9 in what takes longer", () => {
  for (const row of HALF_DONE_ROWS) describeRow(row);
});
