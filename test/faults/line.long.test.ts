import { describe } from "vitest";
import { describeRow } from "./describe-row.ts";
import { DISCONNECT_ROW } from "./disconnect-row.ts";
import { LINE_ROWS } from "./line-rows.ts";

describe("the line to WhatsApp", () => {
  for (const row of [DISCONNECT_ROW, ...LINE_ROWS]) describeRow(row);
});
