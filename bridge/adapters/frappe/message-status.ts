/** The one rule by which a message on the site goes from one status to another. Pure. */
import type { MessageStatus } from "../../../hub/contract/index.ts";
import type { Position } from "../../adapter.ts";
import { text, type Row } from "./field-values.ts";
import { readState, STATE_FIELD } from "./hub-state.ts";

/** The site's words. */
export const STATUS_WORD: Record<MessageStatus, string> = {
  pending: "Pending",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
  failed: "Failed",
  deleted: "Deleted",
};

const STATUSES: MessageStatus[] = ["pending", "sent", "failed", "delivered", "read", "deleted"];

/** The bridge's own memory first: the site shows every incoming message as delivered. */
export const statusOf = (row: Row): MessageStatus =>
  readState(row[STATE_FIELD]).status ??
  STATUSES.find((status) => STATUS_WORD[status] === text(row, "status")) ??
  "pending";

/** A message that stands where it does has had this status as well, at some time. */
export function isPast(row: Row, status: MessageStatus): boolean {
  const held = statusOf(row);
  const isReached = STATUSES.indexOf(held) >= STATUSES.indexOf(status);
  return isReached && held !== "failed" && held !== "deleted";
}

/** Only forward; a deletion is final. Between sent and failed the later one is right, where that is known. */
export function mayBecome(row: Row, next: MessageStatus, position: Position): boolean {
  const held = statusOf(row);
  if (held === next) return false;
  const { statusPosition = null } = readState(row[STATE_FIELD]);
  const isContest = ["sent", "failed"].includes(held) && ["sent", "failed"].includes(next);
  if (isContest && statusPosition !== null && position !== null) return position > statusPosition;
  return STATUSES.indexOf(next) > STATUSES.indexOf(held);
}
