/** Words of statuses, and the only rule by which a message goes from one to another. */
import type { Position } from "../../adapter.ts";
import type { MessageStatus } from "../../../hub/contract/index.ts";
import type { Session } from "../../records.ts";

const WORD: Record<MessageStatus, string> = {
  pending: "Pending",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
  failed: "Failed",
  deleted: "Deleted",
};
export const statusWord = (status: MessageStatus): string => WORD[status];

const SESSION_WORD: Record<Session["status"], string> = {
  disconnected: "Disconnected",
  connecting: "Connecting",
  connected: "Connected",
  qr_code: "QR Code Required",
  error: "Error",
};
export const sessionWord = (status: Session["status"]): string => SESSION_WORD[status];

const RANK = new Map([
  ["Pending", 1],
  ["Sent", 2],
  ["Failed", 3],
  ["Delivered", 4],
  ["Read", 5],
  ["Deleted", 6],
]);

/** A message that has `held` has had `told` as well, at some time. */
export const isPast = (held: string, told: string): boolean =>
  held !== "Failed" && held !== "Deleted" && (RANK.get(held) ?? 0) >= (RANK.get(told) ?? 0);

export interface StatusAt {
  status: string;
  position: Position;
}

/** A status only rises and a deletion is final. Between sent and failed the later one is right, where that is known. */
export function mayBecome(held: StatusAt, told: StatusAt): boolean {
  if (held.status === "Deleted" || held.status === told.status) return false;
  const isContest = [held.status, told.status].sort().join() === "Failed,Sent";
  if (isContest && held.position !== null && told.position !== null) return told.position > held.position;
  return (RANK.get(told.status) ?? 0) > (RANK.get(held.status) ?? 0);
}
