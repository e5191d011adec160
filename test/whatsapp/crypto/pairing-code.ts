/** Linking by an eight character code: each end proves to the other that it knows it, and both arrive at one adv secret. */
import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { agree, generateKeyPair, type KeyPair, withoutTypeByte } from "../signal/curve.ts";
import { derive } from "../signal/kdf.ts";

const SALT_LENGTH = 32;
const WRAP_IV_LENGTH = 16;
const BUNDLE_IV_LENGTH = 12;
const TAG_LENGTH = 16;
/** Stretching takes some 25 ms on purpose: a code has only 40 bits. */
const ITERATIONS = 131_072;
const BUNDLE_KEY = "link_code_pairing_key_bundle_encryption_key";

/** The two fields of the `primary_hello` notification, and what to do with the companion's answer. */
export interface PhoneSideOfPairing {
  hello: { wrappedPrimaryEphemeralPub: Buffer; primaryIdentityPub: Buffer };
  /** From `companion_finish`: the adv secret. Throws when the two ends had different codes or identities. */
  finish(companion: { wrappedKeyBundle: Uint8Array; identityPublic: Uint8Array }): Buffer;
}

/** The phone, once its user has typed the code. */
export function enterPairingCode(options: {
  code: string;
  phoneIdentity: KeyPair;
  wrappedCompanionEphemeralPub: Uint8Array;
}): PhoneSideOfPairing {
  const { code, phoneIdentity } = options;
  const ephemeral = generateKeyPair();
  // A wrong code gives a wrong key here; that comes out when the bundle does not open.
  const companionEphemeral = unwrapEphemeralKey(code, options.wrappedCompanionEphemeralPub);

  return {
    hello: {
      wrappedPrimaryEphemeralPub: wrapEphemeralKey(code, ephemeral.public),
      primaryIdentityPub: phoneIdentity.public,
    },
    finish: ({ wrappedKeyBundle, identityPublic }) => {
      const ephemeralSecret = agree(ephemeral, companionEphemeral);
      const { companionIdentity, primaryIdentity, random } = openKeyBundle(wrappedKeyBundle, ephemeralSecret);
      if (!companionIdentity.equals(withoutTypeByte(identityPublic))) {
        throw new Error("the key bundle is of another companion");
      }
      if (!primaryIdentity.equals(phoneIdentity.public))
        throw new Error("the key bundle is for another phone");
      const secrets = [ephemeralSecret, agree(phoneIdentity, identityPublic), random];
      return derive(Buffer.concat(secrets), "adv_secret", 32);
    },
  };
}

/** salt | iv | AES-256-CTR(public key), under a key stretched from the code. */
function wrapEphemeralKey(code: string, publicKey: Uint8Array): Buffer {
  const salt = randomBytes(SALT_LENGTH);
  const iv = randomBytes(WRAP_IV_LENGTH);
  const cipher = createCipheriv("aes-256-ctr", stretch(code, salt), iv);
  return Buffer.concat([salt, iv, cipher.update(publicKey), cipher.final()]);
}

function unwrapEphemeralKey(code: string, wrapped: Uint8Array): Buffer {
  const { salt, iv, sealed } = cut(wrapped, WRAP_IV_LENGTH);
  const decipher = createDecipheriv("aes-256-ctr", stretch(code, salt), iv);
  return Buffer.concat([decipher.update(sealed), decipher.final()]);
}

function openKeyBundle(wrapped: Uint8Array, ephemeralSecret: Buffer) {
  const { salt, iv, sealed } = cut(wrapped, BUNDLE_IV_LENGTH);
  const decipher = createDecipheriv("aes-256-gcm", derive(ephemeralSecret, BUNDLE_KEY, 32, salt), iv);
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
  const bundle = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_LENGTH)), decipher.final()]);
  return {
    companionIdentity: bundle.subarray(0, 32),
    primaryIdentity: bundle.subarray(32, 64),
    random: bundle.subarray(64),
  };
}

const stretch = (code: string, salt: Uint8Array) => pbkdf2Sync(code, salt, ITERATIONS, 32, "sha256");

const cut = (wrapped: Uint8Array, ivLength: number) => ({
  salt: wrapped.subarray(0, SALT_LENGTH),
  iv: wrapped.subarray(SALT_LENGTH, SALT_LENGTH + ivLength),
  sealed: wrapped.subarray(SALT_LENGTH + ivLength),
});
