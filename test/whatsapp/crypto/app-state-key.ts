/** The key of synced app state: made on the phone, and handed by it to each companion. */
import { randomBytes } from "node:crypto";
import { proto } from "@whiskeysockets/baileys";
import type { AppStateKey } from "./app-state-records.ts";

const KEY_ID_LENGTH = 6;

export const createAppStateKey = (): AppStateKey => ({
  keyId: randomBytes(KEY_ID_LENGTH),
  keyData: randomBytes(32),
  timestamp: Date.now(),
});

/** The peer message that hands keys over: a ProtocolMessage APP_STATE_SYNC_KEY_SHARE. */
export function appStateKeyShare(keys: AppStateKey[]): proto.IMessage {
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
      appStateSyncKeyShare: {
        keys: keys.map(({ keyId, keyData, timestamp }) => ({
          keyId: { keyId },
          keyData: { keyData, fingerprint: { rawId: 1, currentIndex: 1, deviceIndexes: [0, 1] }, timestamp },
        })),
      },
    },
  };
}
