/** A message that is held already, told again as a whole: what of it changes. Pure. */
import type { Position } from "../../adapter.ts";
import type { Message } from "../../records.ts";
import { isOlderEdit } from "../edit-order.ts";
import type { MessageRow } from "./doctypes.ts";
import { textFields } from "./message-fields.ts";
import { momentOfSecondsOrNull } from "./moments.ts";
import { laterOf, mayOverwrite } from "./positions.ts";
import { reactionsOf } from "./reactions.ts";
import { mayBecome, statusWord } from "./statuses.ts";

/** Fields as they should be; some may be so already. Null: the record is older than what is held. */
export function revisedFields(
  held: MessageRow,
  told: Message,
  position: Position,
  { plain, resolve }: { plain: Partial<MessageRow>; resolve: (id: string) => string },
): Partial<MessageRow> | null {
  const isCurrent = mayOverwrite(held.position, position);
  if (!isCurrent && position !== null) return null;
  return {
    ...(isCurrent ? plain : {}),
    ...(isCurrent ? reactionsOf(held.reactions, told.reactions, position, resolve) : {}),
    ...editedText(held, told, position),
    ...raisedStatus(held, told, position),
  };
}

/** The later edit wins, whoever tells it; of one second, or without one on either side, the later record. */
function editedText(held: MessageRow, told: Message, position: Position): Partial<MessageRow> {
  const text = textFields(told);
  const heldEdit = { at: held.edited_at ?? "", position: held.edit_position };
  const toldEdit = { at: text.edited_at ?? "", position };
  const isCurrent = mayOverwrite(held.position, position) && !isOlderEdit(toldEdit, heldEdit);
  return toldEdit.at > heldEdit.at || isCurrent ? text : {};
}

function raisedStatus(held: MessageRow, told: Message, position: Position): Partial<MessageRow> {
  const status = statusWord(told.status);
  if (!mayBecome({ status: held.status, position: held.status_position }, { status, position })) return {};
  return {
    status,
    status_position: laterOf(held.status_position, position),
    // No record tells why a message failed: that is told when it does.
    ...(status === "Failed" ? {} : { error_message: null }),
    ...(status === "Deleted" ? { deleted_at: momentOfSecondsOrNull(told.deletedAt) } : {}),
  };
}
