/** The double ratchet of one session. A message that proves false leaves the state as it was, so several sessions can be tried. */
import { agree, generateKeyPair, type KeyPair, withTypeByte } from "./curve.ts";
import { type Chain, decryptCbc, derive, encryptCbc, hmacSha256, messageSeed, nextLink } from "./kdf.ts";
import { type ReceivingChain, seedOf } from "./skipped-keys.ts";
import { decodeWhisperMessage, encodeWhisperMessage } from "./wire.ts";

/** Chains of the peer that are kept for messages still under way. */
const MAX_RECEIVING_CHAINS = 5;

export interface Session {
  ourIdentity: Buffer;
  theirIdentity: Buffer;
  /** Base key of the handshake: it names the session, as both sides and every repetition of a pkmsg share it. */
  baseKey: Buffer;
  rootKey: Buffer;
  /** Our ratchet key; renewed with the first message that we send after one of theirs came with a new key. */
  ratchet: KeyPair;
  sending: Chain | undefined;
  /** Counter of the last message of our sending chain before this one. */
  previousCounter: number;
  theirRatchetKey: Buffer;
  /** Newest last. */
  receiving: (ReceivingChain & { ratchetKey: Buffer })[];
  /** Handshake to repeat with every message until the peer has answered. */
  unanswered: { preKeyId: number | undefined; signedPreKeyId: number } | undefined;
  /** Readable, but no longer written to. */
  isRetired: boolean;
}

export function encryptInSession(session: Session, plaintext: Uint8Array): Buffer {
  const chain = (session.sending ??= startSendingChain(session));
  const { cipherKey, macKey, iv } = messageKeys(messageSeed(chain));
  const signed = encodeWhisperMessage({
    ratchetKey: session.ratchet.public,
    counter: chain.index,
    previousCounter: session.previousCounter,
    ciphertext: encryptCbc(cipherKey, iv, plaintext),
  });
  session.sending = nextLink(chain);
  return Buffer.concat([signed, macOf(macKey, session.ourIdentity, session.theirIdentity, signed)]);
}

/** Throws when the message is not of this session, or was read before. */
export function decryptInSession(session: Session, bytes: Uint8Array): Buffer {
  const message = decodeWhisperMessage(bytes);
  const known = session.receiving.find(({ ratchetKey }) => ratchetKey.equals(message.ratchetKey));
  const { receiving, commit } = known
    ? { receiving: known, commit: undefined }
    : ratchetStep(session, message.ratchetKey);

  const { seed, use } = seedOf(receiving, message.counter);
  const { cipherKey, macKey, iv } = messageKeys(seed);
  const mac = macOf(macKey, session.theirIdentity, session.ourIdentity, message.signed);
  if (!mac.equals(message.mac)) throw new Error("wrong MAC");
  const plaintext = decryptCbc(cipherKey, iv, message.ciphertext);

  use();
  commit?.();
  session.unanswered = undefined;
  return plaintext;
}

function startSendingChain(session: Session): Chain {
  session.ratchet = generateKeyPair();
  const { rootKey, chain } = rootStep(session.rootKey, agree(session.ratchet, session.theirRatchetKey));
  session.rootKey = rootKey;
  return chain;
}

/** What the peer's new ratchet key makes of the session, to be committed once a message with it proved genuine. */
function ratchetStep(session: Session, ratchetKey: Buffer) {
  const { rootKey, chain } = rootStep(session.rootKey, agree(session.ratchet, ratchetKey));
  const receiving = { ratchetKey: Buffer.from(ratchetKey), chain, skipped: new Map<number, Buffer>() };
  const commit = () => {
    session.rootKey = rootKey;
    session.theirRatchetKey = receiving.ratchetKey;
    session.receiving.push(receiving);
    if (session.receiving.length > MAX_RECEIVING_CHAINS) session.receiving.shift();
    if (session.sending) session.previousCounter = Math.max(session.sending.index - 1, 0);
    session.sending = undefined;
  };
  return { receiving, commit };
}

function rootStep(oldRootKey: Buffer, secret: Buffer): { rootKey: Buffer; chain: Chain } {
  const bytes = derive(secret, "WhisperRatchet", 64, oldRootKey);
  return { rootKey: bytes.subarray(0, 32), chain: { key: bytes.subarray(32), index: 0 } };
}

function messageKeys(seed: Buffer) {
  const bytes = derive(seed, "WhisperMessageKeys", 80);
  return { cipherKey: bytes.subarray(0, 32), macKey: bytes.subarray(32, 64), iv: bytes.subarray(64) };
}

function macOf(macKey: Buffer, sender: Buffer, receiver: Buffer, signed: Uint8Array): Buffer {
  const covered = Buffer.concat([withTypeByte(sender), withTypeByte(receiver), signed]);
  return hmacSha256(macKey, covered).subarray(0, 8);
}
