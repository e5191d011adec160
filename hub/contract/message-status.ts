/** Delivery states of a message and their order: a status only rises, except to `deleted`. */

/**
 * pending   accepted by us, not yet by WhatsApp (crash: sent again with the same id)
 * sent      WhatsApp's server has it
 * delivered a device of the receiver has it (groups: the first member)
 * read      opened (or played)
 * failed    refused, expired or never confirmed; a later receipt proves the contrary and lifts it
 * deleted   revoked; final
 */
export type MessageStatus = "pending" | "sent" | "delivered" | "read" | "failed" | "deleted";

const RANK: Record<MessageStatus, number> = {
  pending: 1,
  failed: 2,
  sent: 3,
  delivered: 4,
  read: 5,
  deleted: 6,
};

/** True when `next` may replace `current`; repeats and steps back may not. */
export const rises = (current: MessageStatus, next: MessageStatus): boolean => RANK[next] > RANK[current];

/** The contract's number beside the word, as long as the message was not played. */
export const ACK: Record<MessageStatus, number> = {
  failed: -1,
  pending: 0,
  sent: 1,
  delivered: 2,
  read: 3,
  deleted: 0,
};

/** Of a voice note that was listened to; its status is `read` all the same. */
const ACK_PLAYED = 4;

export const ackOf = ({ status, isPlayed }: { status: MessageStatus; isPlayed: boolean }): number =>
  status === "read" && isPlayed ? ACK_PLAYED : ACK[status];
