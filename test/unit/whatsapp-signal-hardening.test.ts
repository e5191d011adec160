import { createHash, createPrivateKey, createPublicKey, diffieHellman, randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { Curve } from "../../hub/whatsapp/baileys.ts";
import { assertSignaturesChecked } from "../../hub/whatsapp/signal-hardening.ts";

const baileys = createRequire(import.meta.url).resolve("@whiskeysockets/baileys");
const fromBaileys = createRequire(baileys);
const fromLibsignal = createRequire(fromBaileys.resolve("libsignal"));
/** The slow reference that libsignal ships: pure JavaScript XEdDSA. */
const reference = fromLibsignal("curve25519-js") as {
  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  sharedKey(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
};
const libsignal = fromBaileys("libsignal/src/curve.js") as {
  calculateAgreement(publicKey: Uint8Array, privateKey: Uint8Array): Buffer;
  verifySignature(key: Uint8Array, message: Uint8Array, signature: Uint8Array, isInit?: boolean): boolean;
};

const SEED = process.env["TEST_SEED"] ?? String(Date.now());
const random = (label: string, bytes: number): Buffer => {
  const blocks: Buffer[] = [];
  for (let n = 0; n * 32 < bytes; n++)
    blocks.push(createHash("sha256").update(`${SEED}|${label}|${n}`).digest());
  return Buffer.concat(blocks).subarray(0, bytes);
};
const ROUNDS = 10;

/** RFC 7748, section 5.2, first vector. */
const SCALAR = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4";
const POINT = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c";
const PRODUCT = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552";

describe(`signatures (seed ${SEED})`, () => {
  test("nothing that nobody signed verifies", () => {
    const { public: key } = Curve.generateKeyPair();
    expect(Curve.verify(key, Buffer.from("text"), Buffer.alloc(64))).toBe(false);
    for (let n = 0; n < ROUNDS; n++)
      expect(Curve.verify(key, random(`m${n}`, 40), random(`s${n}`, 64))).toBe(false);
    expect(() => assertSignaturesChecked(Curve)).not.toThrow();
  });

  test("what we sign verifies with the reference, what the reference signs verifies here", () => {
    for (let n = 0; n < ROUNDS; n++) {
      const pair = Curve.generateKeyPair();
      const message = random(`message${n}`, 1 + ((n * 37) % 300));
      expect(reference.verify(pair.public, message, Curve.sign(pair.private, message))).toBe(true);
      const theirs = Buffer.from(reference.sign(pair.private, message));
      expect(Curve.verify(pair.public, message, theirs)).toBe(true);

      const bit = random(`bit${n}`, 2);
      const broken = Buffer.from(theirs);
      const at = (bit[0] ?? 0) % 64;
      broken[at] = (broken[at] ?? 0) ^ (1 << ((bit[1] ?? 0) % 8));
      expect(Curve.verify(pair.public, message, broken)).toBe(reference.verify(pair.public, message, broken));
      expect(Curve.verify(pair.public, Buffer.concat([message, Buffer.of(0)]), theirs)).toBe(false);
    }
  });

  test("agreements equal the vector of RFC 7748 and OpenSSL's", () => {
    const secretOf = (scalar: string, point: string): string =>
      Curve.sharedKey(Buffer.from(scalar, "hex"), Buffer.from(point, "hex")).toString("hex");
    expect(secretOf(SCALAR, POINT)).toBe(PRODUCT);
    for (let n = 0; n < ROUNDS; n++) {
      const ours = Curve.generateKeyPair();
      const theirs = Curve.generateKeyPair();
      const secret = Curve.sharedKey(ours.private, theirs.public);
      expect(secret).toEqual(openssl(Buffer.from(ours.private), Buffer.from(theirs.public)));
      expect(secret).toEqual(Curve.sharedKey(theirs.private, ours.public));
    }
  });

  test("a key of small order is refused, as OpenSSL does", () => {
    const { private: key } = Curve.generateKeyPair();
    expect(() => Curve.sharedKey(key, Buffer.alloc(32))).toThrow(/zero/);
  });

  test("a bundle's signed key keeps libsignal's shortcut, and malformed input throws", () => {
    const key = Buffer.concat([Buffer.of(5), randomBytes(32)]);
    expect(libsignal.verifySignature(key, Buffer.from("x"), Buffer.alloc(64), true)).toBe(true);
    expect(() => libsignal.verifySignature(key, Buffer.from("x"), Buffer.alloc(63))).toThrow(
      "Invalid signature",
    );
    expect(() => libsignal.verifySignature(key.subarray(0, 20), Buffer.from("x"), Buffer.alloc(64))).toThrow(
      "Invalid public key",
    );
  });
});

function openssl(privateKey: Buffer, publicKey: Buffer): Buffer {
  const secret = diffieHellman({
    privateKey: createPrivateKey({
      key: Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), privateKey]),
      format: "der",
      type: "pkcs8",
    }),
    publicKey: createPublicKey({
      key: Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), publicKey]),
      format: "der",
      type: "spki",
    }),
  });
  return secret;
}
