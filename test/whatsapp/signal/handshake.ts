/** X3DH: how two devices that have never talked come to share a session. */
import { agree, generateKeyPair, type KeyPair, verify, withoutTypeByte, withTypeByte } from "./curve.ts";
import { derive } from "./kdf.ts";
import type { Session } from "./session.ts";
import type { PreKeyMessage } from "./wire.ts";

/** What a peer publishes so that a session can be started without it. Keys of 33 bytes (with type byte) are taken too. */
export interface PeerBundle {
  registrationId: number;
  identity: Uint8Array;
  signedPreKey: { id: number; public: Uint8Array; signature: Uint8Array };
  preKey?: { id: number; public: Uint8Array };
}

/** Put before the agreed secrets, so that they cannot be taken for another protocol's. */
const DISCONTINUITY = Buffer.alloc(32, 0xff);

export function startSession(identity: KeyPair, bundle: PeerBundle): Session {
  const { signedPreKey, preKey } = bundle;
  if (!verify(bundle.identity, withTypeByte(signedPreKey.public), signedPreKey.signature)) {
    throw new Error("the peer's signed prekey is not signed by its identity");
  }
  const base = generateKeyPair();
  const secrets = [
    agree(identity, signedPreKey.public),
    agree(base, bundle.identity),
    agree(base, signedPreKey.public),
    ...(preKey ? [agree(base, preKey.public)] : []),
  ];
  return {
    ...beginning(identity, bundle.identity, base.public, secrets),
    ratchet: base,
    theirRatchetKey: Buffer.from(withoutTypeByte(signedPreKey.public)),
    unanswered: { preKeyId: preKey?.id, signedPreKeyId: signedPreKey.id },
  };
}

export function answerSession(
  identity: KeyPair,
  ours: { signedPreKey: KeyPair; preKey: KeyPair | undefined },
  message: PreKeyMessage,
): Session {
  const secrets = [
    agree(ours.signedPreKey, message.identity),
    agree(identity, message.baseKey),
    agree(ours.signedPreKey, message.baseKey),
    ...(ours.preKey ? [agree(ours.preKey, message.baseKey)] : []),
  ];
  return {
    ...beginning(identity, message.identity, message.baseKey, secrets),
    // The initiator's first ratchet step is against our signed prekey: that is our first ratchet key.
    ratchet: ours.signedPreKey,
    theirRatchetKey: Buffer.from(message.baseKey),
    unanswered: undefined,
  };
}

function beginning(identity: KeyPair, theirIdentity: Uint8Array, baseKey: Uint8Array, secrets: Buffer[]) {
  return {
    ourIdentity: identity.public,
    theirIdentity: Buffer.from(withoutTypeByte(theirIdentity)),
    baseKey: Buffer.from(baseKey),
    rootKey: derive(Buffer.concat([DISCONTINUITY, ...secrets]), "WhisperText", 32),
    sending: undefined,
    previousCounter: 0,
    receiving: [],
    isRetired: false,
  };
}
