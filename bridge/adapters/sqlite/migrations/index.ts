/** The schema's steps, oldest first. A step that was released never changes. */
import { records } from "./0001-records.ts";
import { editPosition } from "./0002-edit-position.ts";
import { nationalIds } from "./0003-national-ids.ts";
import { clientsByHand } from "./0004-clients-by-hand.ts";
import { lateLinks } from "./0005-late-links.ts";
import { clientDetails } from "./0006-client-details.ts";

export const migrations: readonly string[] = [
  records,
  editPosition,
  nationalIds,
  clientsByHand,
  lateLinks,
  clientDetails,
];
