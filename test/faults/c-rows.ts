/** C10 to C14 where they are struck more often by `npm run faults` than by the run of every change. */
import { HISTORY_ROW } from "./c-history.ts";
import { KEYS_ROW } from "./c-keys.ts";
import { MEDIA_ROW } from "./c-media.ts";
import { REPLAY_ROW } from "./c-replay.ts";
import type { FaultRow } from "./row.ts";

export const HALF_DONE_ROWS: FaultRow[] = [HISTORY_ROW, MEDIA_ROW, KEYS_ROW, REPLAY_ROW];
