/** All rows of the fault table that can be run. */
import { DISCONNECT_ROW } from "./disconnect-row.ts";
import { DISK_ROW } from "./disk-row.ts";
import { KILL_ROWS } from "./kill-rows.ts";
import { LINE_ROWS } from "./line-rows.ts";
import type { FaultRow } from "./row.ts";
import { TESTED_ROWS } from "./tested-rows.ts";

export const FAULT_ROWS: FaultRow[] = [...KILL_ROWS, DISCONNECT_ROW, ...LINE_ROWS, DISK_ROW, ...TESTED_ROWS];
