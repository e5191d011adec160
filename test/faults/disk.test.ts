import { describe } from "vitest";
import { describeRow } from "./describe-row.ts";
import { canMountSmallDisk, DISK_ROW } from "./disk-row.ts";

// A disk that can be filled needs Linux and unshare(1); elsewhere `npm run faults -- O1` says so.
describe.skipIf(!canMountSmallDisk())("the disk", () => describeRow(DISK_ROW));
