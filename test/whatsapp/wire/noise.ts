/**
 * Noise XX, the server's side: `Noise_XX_25519_AESGCM_SHA256`, prologue `WA` 6 3. The name is exactly 32 bytes with its
 * padding, so it is the first hash as it is. Seen from the other end in Baileys rc14, noise-handler.js.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from "node:crypto";
import { agree, generateKeyPair, type KeyPair } from "../signal/curve.ts";
import { PROLOGUE } from "./framing.ts";

const PROTOCOL = Buffer.from("Noise_XX_25519_AESGCM_SHA256\0\0\0\0");
const TAG = 16;
const NOTHING = Buffer.alloc(0);

export interface NoiseTransport {
  encrypt(plaintext: Uint8Array): Buffer;
  decrypt(ciphertext: Uint8Array): Buffer;
}

export interface NoiseResponder {
  /** The three fields of `serverHello`. */
  hello(clientEphemeral: Uint8Array): { ephemeral: Buffer; static: Buffer; payload: Buffer };
  /** The two fields of `clientFinish`; the client's static key is what a login is recognised by. */
  finish(
    clientStatic: Uint8Array,
    payload: Uint8Array,
  ): { clientStatic: Buffer; payload: Buffer; transport: NoiseTransport };
}

export function createNoiseResponder(identity: {
  staticKey: KeyPair;
  certificateChain: Uint8Array;
}): NoiseResponder {
  const ephemeral = generateKeyPair();
  let hash: Buffer = PROTOCOL;
  let chaining: Buffer = PROTOCOL;
  let key: Buffer = PROTOCOL;
  let counter = 0;

  const mixHash = (data: Uint8Array): void => {
    hash = createHash("sha256").update(hash).update(data).digest();
  };
  const mixKey = (secret: Uint8Array): void => {
    [chaining, key] = expand(secret, chaining);
    counter = 0;
  };
  const encrypt = (plaintext: Uint8Array): Buffer => {
    const sealed = seal(key, counter++, plaintext, hash);
    mixHash(sealed);
    return sealed;
  };
  const decrypt = (ciphertext: Uint8Array): Buffer => {
    const opened = open(key, counter++, ciphertext, hash);
    mixHash(ciphertext);
    return opened;
  };
  mixHash(PROLOGUE);

  let theirEphemeral: Uint8Array | undefined;
  return {
    hello(clientEphemeral) {
      theirEphemeral = clientEphemeral;
      mixHash(clientEphemeral);
      mixHash(ephemeral.public);
      mixKey(agree(ephemeral, clientEphemeral));
      const encryptedStatic = encrypt(identity.staticKey.public);
      mixKey(agree(identity.staticKey, clientEphemeral));
      return {
        ephemeral: ephemeral.public,
        static: encryptedStatic,
        payload: encrypt(identity.certificateChain),
      };
    },
    finish(clientStatic, payload) {
      if (!theirEphemeral) throw new Error("clientFinish before clientHello");
      const theirStatic = decrypt(clientStatic);
      mixKey(agree(ephemeral, theirStatic));
      const clearPayload = decrypt(payload);
      const [fromClient, toClient] = expand(NOTHING, chaining);
      return {
        clientStatic: theirStatic,
        payload: clearPayload,
        transport: createTransport(toClient, fromClient),
      };
    },
  };
}

function createTransport(sendKey: Buffer, receiveKey: Buffer): NoiseTransport {
  let sent = 0;
  let received = 0;
  return {
    encrypt: (plaintext) => seal(sendKey, sent++, plaintext, NOTHING),
    decrypt: (ciphertext) => open(receiveKey, received++, ciphertext, NOTHING),
  };
}

function expand(secret: Uint8Array, salt: Uint8Array): [Buffer, Buffer] {
  const bytes = Buffer.from(hkdfSync("sha256", secret, salt, NOTHING, 64));
  return [bytes.subarray(0, 32), bytes.subarray(32)];
}

function nonce(counter: number): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
}

function seal(key: Buffer, counter: number, plaintext: Uint8Array, associated: Buffer): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce(counter));
  cipher.setAAD(associated);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Buffer, counter: number, ciphertext: Uint8Array, associated: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce(counter));
  decipher.setAAD(associated);
  decipher.setAuthTag(ciphertext.subarray(-TAG));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG)), decipher.final()]);
}
