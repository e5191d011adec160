/**
 * Makes Baileys check signatures. Its `Curve.verify` drops the boolean that libsignal answers, so any well-formed
 * signature passes: WhatsApp's certificate and the account signature at pairing would prove nothing. Evaluated before
 * Baileys (see `baileys.ts`), because Baileys binds these functions once, when it is loaded.
 */
import { createRequire } from "node:module";
import {
  calculateAgreement as agreeNatively,
  calculateSignature as signNatively,
  verifySignature as verifyNatively,
} from "whatsapp-rust-bridge";

/** The part of libsignal's `src/curve.js` that is replaced; its typings leave `isInit` out. */
interface SignalCurve {
  calculateAgreement(publicKey: Uint8Array, privateKey: Uint8Array): Uint8Array;
  calculateSignature(privateKey: Uint8Array, message: Uint8Array): Uint8Array;
  verifySignature(
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
    isInit?: boolean,
  ): boolean;
}

const KEY_TYPE = 5;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

const typedKey = (key: Uint8Array): Uint8Array => {
  if (key.length === KEY_BYTES + 1 && key[0] === KEY_TYPE) return key;
  if (key.length === KEY_BYTES) return Buffer.concat([Buffer.of(KEY_TYPE), key]);
  throw new Error("Invalid public key");
};

const assertPrivateKey = (key: Uint8Array): void => {
  if (key.length !== KEY_BYTES) throw new Error(`Incorrect private key length: ${key.length}`);
};

/** Answers true or throws: callers that only look at exceptions are right as well. */
function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  isInit = false,
): boolean {
  const key = typedKey(publicKey);
  if (signature.length !== SIGNATURE_BYTES) throw new Error("Invalid signature");
  // libsignal's own shortcut: the signed pre-key of a bundle is taken on trust, as in every other client built on it.
  if (isInit) return true;
  if (!verifyNatively(key, message, signature)) throw new Error("Signature does not verify");
  return true;
}

function calculateSignature(privateKey: Uint8Array, message: Uint8Array): Buffer {
  assertPrivateKey(privateKey);
  return Buffer.from(signNatively(privateKey, message));
}

function calculateAgreement(publicKey: Uint8Array, privateKey: Uint8Array): Buffer {
  assertPrivateKey(privateKey);
  const secret = Buffer.from(agreeNatively(typedKey(publicKey), privateKey));
  // Points of small order give zeros whatever our key is; OpenSSL refuses them, the native code does not.
  if (secret.every((byte) => byte === 0)) throw new Error("Invalid public key: the shared secret is zero");
  return secret;
}

const native: SignalCurve = { calculateAgreement, calculateSignature, verifySignature };

/** The very copy of libsignal that Baileys loads. */
function signalCurveOfBaileys(): SignalCurve {
  const baileys = createRequire(import.meta.url).resolve("@whiskeysockets/baileys");
  // The typings of this file declare less than it exports; what is assigned below is checked by `assertSignaturesChecked`.
  return createRequire(baileys)("libsignal/src/curve.js") as SignalCurve;
}

Object.assign(signalCurveOfBaileys(), native);

/** Throws when a made-up signature passes: the process must not start then. */
export function assertSignaturesChecked(curve: {
  generateKeyPair(): { public: Uint8Array };
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}): void {
  const { public: key } = curve.generateKeyPair();
  if (curve.verify(key, Buffer.from("nobody signed this"), Buffer.alloc(SIGNATURE_BYTES)))
    throw new Error("Signature checks are not in force: signal-hardening was loaded after Baileys.");
}
