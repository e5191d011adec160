/** Sender keys: one chain per member of a group, told to each other member in private, so that a message is encrypted once. */
import { randomBytes, randomInt } from "node:crypto";
import { generateKeyPair, type KeyPair, sign, verify } from "./curve.ts";
import { type Chain, decryptCbc, derive, encryptCbc, messageSeed, nextLink } from "./kdf.ts";
import { type ReceivingChain, seedOf } from "./skipped-keys.ts";
import {
  decodeSenderKeyDistribution,
  decodeSenderKeyMessage,
  encodeSenderKeyDistribution,
  encodeSenderKeyMessage,
} from "./wire.ts";

/** Keys of one member that are kept: messages by an older one may still be under way. */
const MAX_KEYS_PER_SENDER = 5;

interface OwnKey {
  keyId: number;
  chain: Chain;
  signing: KeyPair;
}

interface PeerKey extends ReceivingChain {
  keyId: number;
  signingKey: Buffer;
}

export interface SenderKeys {
  /** axolotlSenderKeyDistributionMessage for the group, at the current iteration. */
  senderKeyDistribution(group: string): Buffer;
  encryptGroup(group: string, plaintext: Uint8Array): Buffer;
  acceptSenderKeyDistribution(group: string, sender: string, distribution: Uint8Array): void;
  decryptGroup(group: string, sender: string, ciphertext: Uint8Array): Buffer;
  /** The next message of ours in the group uses a new key, which everyone must be told again. */
  rotateSenderKey(group: string): void;
}

export function createSenderKeys(): SenderKeys {
  const ownKeys = new Map<string, OwnKey>();
  const peerKeys = new Map<string, PeerKey[]>();
  const keysOf = (group: string, sender: string) => peerKeys.get(`${group} ${sender}`) ?? [];

  const ownKey = (group: string) => {
    const key = ownKeys.get(group) ?? createOwnKey();
    ownKeys.set(group, key);
    return key;
  };

  return {
    senderKeyDistribution: (group) => {
      const { keyId, chain, signing } = ownKey(group);
      const { key: chainKey, index: iteration } = chain;
      return encodeSenderKeyDistribution({ keyId, iteration, chainKey, signingKey: signing.public });
    },

    encryptGroup: (group, plaintext) => {
      const own = ownKey(group);
      const { cipherKey, iv } = messageKeys(messageSeed(own.chain));
      const ciphertext = encryptCbc(cipherKey, iv, plaintext);
      const signed = encodeSenderKeyMessage({ keyId: own.keyId, iteration: own.chain.index, ciphertext });
      own.chain = nextLink(own.chain);
      return Buffer.concat([signed, sign(own.signing, signed)]);
    },

    acceptSenderKeyDistribution: (group, sender, distribution) => {
      const { keyId, iteration, chainKey, signingKey } = decodeSenderKeyDistribution(distribution);
      const known = keysOf(group, sender);
      // A key told again is told at a later iteration: what we have reads everything that the repetition would.
      if (known.some((key) => key.keyId === keyId && key.signingKey.equals(signingKey))) return;
      const key = {
        keyId,
        signingKey,
        chain: { key: chainKey, index: iteration },
        skipped: new Map<number, Buffer>(),
      };
      const others = known.filter((other) => other.keyId !== keyId);
      peerKeys.set(`${group} ${sender}`, [key, ...others].slice(0, MAX_KEYS_PER_SENDER));
    },

    decryptGroup: (group, sender, bytes) => {
      const message = decodeSenderKeyMessage(bytes);
      const key = keysOf(group, sender).find(({ keyId }) => keyId === message.keyId);
      if (!key) throw new Error("no sender key for the message");
      if (!verify(key.signingKey, message.signed, message.signature)) throw new Error("wrong signature");
      const { seed, use } = seedOf(key, message.iteration);
      const { cipherKey, iv } = messageKeys(seed);
      const plaintext = decryptCbc(cipherKey, iv, message.ciphertext);
      use();
      return plaintext;
    },

    rotateSenderKey: (group) => void ownKeys.delete(group),
  };
}

const createOwnKey = (): OwnKey => ({
  keyId: randomInt(1, 2 ** 31),
  chain: { key: randomBytes(32), index: 0 },
  signing: generateKeyPair(),
});

function messageKeys(seed: Buffer) {
  const bytes = derive(seed, "WhisperGroup", 48);
  return { iv: bytes.subarray(0, 16), cipherKey: bytes.subarray(16) };
}
