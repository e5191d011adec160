/** The schema's steps, oldest first. A step that was released never changes. */
import { records } from "./0001-records.ts";
import { editPosition } from "./0002-edit-position.ts";
import { nationalIds } from "./0003-national-ids.ts";
import { clientsByHand } from "./0004-clients-by-hand.ts";

export const migrations: readonly string[] = [records, editPosition, nationalIds, clientsByHand];
