/** All rows of the fault table that can be run. */
import { KILL_ROWS } from "./kill-rows.ts";
import type { FaultRow } from "./row.ts";

export const FAULT_ROWS: FaultRow[] = [...KILL_ROWS];
