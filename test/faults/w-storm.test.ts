import { describe } from "vitest";
import { describeRow } from "./describe-row.ts";
import { STORM_ROW } from "./w-storm-row.ts";

describe("what cannot be read", () => describeRow(STORM_ROW));
