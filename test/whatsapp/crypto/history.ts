/** History as the phone sends it to a new companion: compressed, then inside the message or on the media server. */
import { deflateSync } from "node:zlib";
import { proto } from "@whiskeysockets/baileys";
import { encryptMedia } from "./media.ts";

export interface PackedHistory {
  /** The peer message of the phone: a ProtocolMessage HISTORY_SYNC_NOTIFICATION. */
  message: proto.IMessage;
  /** To be served at its path; absent when the history is inside the message. */
  blob?: { directPath: string; ciphertext: Buffer };
}

/** A history with a `directPath` is one to download; without, it travels inside the message. */
export function packHistory(
  history: proto.IHistorySync,
  { directPath }: { directPath?: string } = {},
): PackedHistory {
  const compressed = deflateSync(proto.HistorySync.encode(history).finish());
  const about = { syncType: history.syncType, chunkOrder: history.chunkOrder, progress: history.progress };
  if (directPath === undefined) {
    return { message: notification({ ...about, initialHistBootstrapInlinePayload: compressed }) };
  }
  const { ciphertext, ...keys } = encryptMedia("history", compressed);
  return { message: notification({ ...about, directPath, ...keys }), blob: { directPath, ciphertext } };
}

/** Made from a plain object, as the notification has an enumeration of its own (equal in every member) for the sync type. */
const notification = (fields: Record<string, unknown>): proto.IMessage => ({
  protocolMessage: {
    type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
    historySyncNotification: proto.Message.HistorySyncNotification.fromObject(fields),
  },
});
