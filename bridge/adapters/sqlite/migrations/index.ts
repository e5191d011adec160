/** The schema's steps, oldest first. A step that was released never changes. */
import { records } from "./0001-records.ts";
import { editPosition } from "./0002-edit-position.ts";
import { nationalIds } from "./0003-national-ids.ts";
import { clientsByHand } from "./0004-clients-by-hand.ts";
import { lateLinks } from "./0005-late-links.ts";
import { clientDetails } from "./0006-client-details.ts";
import { hiddenReactors } from "./0007-hidden-reactors.ts";
import { rowsByHand } from "./0008-rows-by-hand.ts";
import { aliasPositions } from "./0009-alias-positions.ts";

export const migrations: readonly string[] = [
  records,
  editPosition,
  nationalIds,
  clientsByHand,
  lateLinks,
  clientDetails,
  hiddenReactors,
  rowsByHand,
  aliasPositions,
];
