/** The chain of signatures that makes a companion a device of an account: what the phone signs when it links one. */
import { createHmac, randomInt } from "node:crypto";
import { proto } from "@whiskeysockets/baileys";
import { generateKeyPair, type KeyPair, sign, verify } from "../signal/curve.ts";

/** ADVSignedDeviceIdentity as the phone issues it; the device signature is the companion's to make. */
export interface IssuedIdentity {
  details: Buffer;
  accountSignatureKey: Buffer;
  accountSignature: Buffer;
  keyIndex: number;
}

export interface IssueOptions {
  phoneIdentity: KeyPair;
  /** 32 bytes: eIdent of the registration. */
  companionIdentity: Uint8Array;
  keyIndex: number;
  timestamp?: number;
  /** Signs with somebody else's key, all else being right: a companion must refuse it. */
  wrongAccountSignature?: boolean;
}

const ACCOUNT_SIGNATURE = Buffer.from([6, 0]);
const DEVICE_SIGNATURE = Buffer.from([6, 1]);

export function issueDeviceIdentity(options: IssueOptions): IssuedIdentity {
  const { phoneIdentity, companionIdentity, keyIndex, timestamp = Math.floor(Date.now() / 1000) } = options;
  const details = Buffer.from(
    proto.ADVDeviceIdentity.encode({
      rawId: randomInt(1, 2 ** 31),
      timestamp,
      keyIndex,
      accountType: proto.ADVEncryptionType.E2EE,
      deviceType: proto.ADVEncryptionType.E2EE,
    }).finish(),
  );
  const signer = options.wrongAccountSignature ? generateKeyPair() : phoneIdentity;
  return {
    details,
    accountSignatureKey: phoneIdentity.public,
    accountSignature: sign(signer, Buffer.concat([ACCOUNT_SIGNATURE, details, companionIdentity])),
    keyIndex,
  };
}

/** ADVSignedDeviceIdentityHMAC, the content of `<device-identity>` in pair-success. */
export function sealDeviceIdentity(issued: IssuedIdentity, advSecret: Uint8Array): Buffer {
  const details = proto.ADVSignedDeviceIdentity.encode(issued).finish();
  const hmac = createHmac("sha256", advSecret).update(details).digest();
  return Buffer.from(proto.ADVSignedDeviceIdentityHMAC.encode({ details, hmac }).finish());
}

/**
 * Checks what the companion answers in `<pair-device-sign>` and returns the complete ADVSignedDeviceIdentity: the bytes
 * of the `<device-identity>` that travels with the account's pkmsg. Throws when the companion's signature is wrong.
 */
export function deviceIdentityNodeBytes(
  issued: IssuedIdentity,
  companionIdentity: Uint8Array,
  pairDeviceSign: Uint8Array,
): Buffer {
  const answer = proto.ADVSignedDeviceIdentity.decode(pairDeviceSign);
  const { details, accountSignatureKey, accountSignature } = issued;
  const covered = Buffer.concat([DEVICE_SIGNATURE, details, companionIdentity, accountSignatureKey]);
  const { deviceSignature } = answer;
  if (!deviceSignature || !verify(companionIdentity, covered, deviceSignature)) {
    throw new Error("the companion's device signature is wrong");
  }
  if (!details.equals(answer.details ?? Buffer.alloc(0)))
    throw new Error("the companion changed its details");
  const complete = { details, accountSignatureKey, accountSignature, deviceSignature };
  return Buffer.from(proto.ADVSignedDeviceIdentity.encode(complete).finish());
}
