import { describe } from "vitest";
import { describeRow } from "./describe-row.ts";
import { BOOT_ROW } from "./w-boot-row.ts";

describe("a start", () => describeRow(BOOT_ROW));
