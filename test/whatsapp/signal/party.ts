/** One Signal device of the emulator (a mock contact's, or the phone's): its identity, its prekeys and all it shares with peers. */
import { randomInt } from "node:crypto";
import { generateKeyPair, type KeyPair, sign, withTypeByte } from "./curve.ts";
import { answerSession, type PeerBundle, startSession } from "./handshake.ts";
import { createSenderKeys, type SenderKeys } from "./sender-keys.ts";
import { encryptInSession } from "./session.ts";
import { createSessionBook, type SessionBook } from "./session-book.ts";
import { decodePreKeyMessage, encodePreKeyMessage } from "./wire.ts";

export type { PeerBundle } from "./handshake.ts";

export interface Ciphertext {
  /** pkmsg carries the handshake, and is sent until the peer has answered. */
  type: "pkmsg" | "msg";
  ciphertext: Buffer;
}

/** Plaintexts are taken and given as they are: padding is the caller's (see padding.ts). */
export interface Party extends SenderKeys {
  readonly registrationId: number;
  readonly identityKeyPair: KeyPair;
  /** A bundle of our own; with a fresh one-time prekey unless told otherwise. All keys have 32 bytes. */
  bundle(options?: { oneTimePreKey?: boolean }): PeerBundle;
  /** Encrypts to the peer device. Without a session one is started from the bundle; without a bundle it throws. */
  encrypt(address: string, plaintext: Uint8Array, bundleOfPeer?: PeerBundle): Ciphertext;
  decrypt(address: string, type: "pkmsg" | "msg", ciphertext: Uint8Array): Buffer;
  hasSession(address: string): boolean;
  /** The next encrypt starts a fresh session; what still comes in by the old one can be read. The answer to a retry receipt. */
  retire(address: string): void;
  /** Deletes all sessions with the peer device, as a reinstalled phone would. */
  forget(address: string): void;
}

const SIGNED_PRE_KEY_ID = 1;

export function createParty(options: { registrationId?: number } = {}): Party {
  const registrationId = options.registrationId ?? randomInt(1, 0x4000);
  const identityKeyPair = generateKeyPair();
  const preKeys = new Map<number, KeyPair>();
  const books = new Map<string, SessionBook>();
  let lastPreKeyId = 0;
  let signedPreKey: { keyPair: KeyPair; signature: Buffer } | undefined;

  // Most mock contacts only ever start sessions: the prekey costs its signature when it is first asked for.
  const ownSignedPreKey = () => (signedPreKey ??= createSignedPreKey(identityKeyPair));

  const createPreKey = () => {
    const keyPair = generateKeyPair();
    preKeys.set(++lastPreKeyId, keyPair);
    return { id: lastPreKeyId, public: keyPair.public };
  };

  const bookOf = (address: string) => {
    const book = books.get(address) ?? createSessionBook();
    books.set(address, book);
    return book;
  };

  const decryptPreKeyMessage = (book: SessionBook, ciphertext: Uint8Array) => {
    const message = decodePreKeyMessage(ciphertext);
    if (book.withBaseKey(message.baseKey)) return book.decrypt(message.message);

    const { preKeyId, signedPreKeyId } = message;
    const preKey = preKeyId === undefined ? undefined : preKeys.get(preKeyId);
    if (preKeyId !== undefined && !preKey) throw new Error(`one-time prekey ${preKeyId} was used before`);
    if (signedPreKeyId !== SIGNED_PRE_KEY_ID) throw new Error(`no signed prekey ${signedPreKeyId}`);
    const own = { signedPreKey: ownSignedPreKey().keyPair, preKey };
    const plaintext = book.decryptFirst(answerSession(identityKeyPair, own, message), message.message);
    if (preKeyId !== undefined) preKeys.delete(preKeyId);
    return plaintext;
  };

  return {
    registrationId,
    identityKeyPair,
    ...createSenderKeys(),

    bundle: ({ oneTimePreKey = true } = {}) => {
      const { keyPair, signature } = ownSignedPreKey();
      return {
        registrationId,
        identity: identityKeyPair.public,
        signedPreKey: { id: SIGNED_PRE_KEY_ID, public: keyPair.public, signature },
        ...(oneTimePreKey ? { preKey: createPreKey() } : {}),
      };
    },

    encrypt: (address, plaintext, bundleOfPeer) => {
      const book = bookOf(address);
      let session = book.current();
      if (!session) {
        if (!bundleOfPeer) throw new Error("no session with the peer, and no bundle to start one from");
        session = startSession(identityKeyPair, bundleOfPeer);
        book.add(session);
      }
      const { unanswered, baseKey } = session;
      const message = encryptInSession(session, plaintext);
      if (!unanswered) return { type: "msg", ciphertext: message };
      const identity = identityKeyPair.public;
      const ciphertext = encodePreKeyMessage({ ...unanswered, registrationId, baseKey, identity, message });
      return { type: "pkmsg", ciphertext };
    },

    decrypt: (address, type, ciphertext) =>
      type === "pkmsg"
        ? decryptPreKeyMessage(bookOf(address), ciphertext)
        : bookOf(address).decrypt(ciphertext),

    hasSession: (address) => books.get(address)?.current() !== undefined,
    retire: (address) => books.get(address)?.retireAll(),
    forget: (address) => void books.delete(address),
  };
}

function createSignedPreKey(identity: KeyPair) {
  const keyPair = generateKeyPair();
  return { keyPair, signature: sign(identity, withTypeByte(keyPair.public)) };
}
