/** All rows of the fault table that can be run. */
import { HALF_DONE_ROWS } from "./c-rows.ts";
import { CONNECT_ROW } from "./connect-row.ts";
import { DISCONNECT_ROW } from "./disconnect-row.ts";
import { DISK_ROW } from "./disk-row.ts";
import { KILL_ROWS, RANDOM_KILLS } from "./kill-rows.ts";
import { LINE_ROWS } from "./line-rows.ts";
import { MANY_ROW } from "./o-many-row.ts";
import type { FaultRow } from "./row.ts";
import { TESTED_ROWS } from "./tested-rows.ts";
import { BOOT_ROW } from "./w-boot-row.ts";
import { STORM_ROW } from "./w-storm-row.ts";

export const FAULT_ROWS: FaultRow[] = [
  ...KILL_ROWS,
  RANDOM_KILLS,
  ...HALF_DONE_ROWS,
  CONNECT_ROW,
  DISCONNECT_ROW,
  ...LINE_ROWS,
  DISK_ROW,
  MANY_ROW,
  STORM_ROW,
  BOOT_ROW,
  ...TESTED_ROWS,
];
