/** Signal's four messages as bytes: one version byte, a protobuf, and what authenticates them. */
import { withoutTypeByte, withTypeByte } from "./curve.ts";
import { bytesField, decodeFields, encodeFields, numberField } from "./protobuf.ts";

/** Current and oldest accepted version are both 3. */
const VERSION = 0x33;
const MAC_LENGTH = 8;
const SIGNATURE_LENGTH = 64;

/** A message inside a session; its MAC covers `signed`. */
export interface WhisperMessage {
  ratchetKey: Buffer;
  counter: number;
  previousCounter: number;
  ciphertext: Buffer;
}

export interface PreKeyMessage {
  registrationId: number;
  preKeyId: number | undefined;
  signedPreKeyId: number;
  baseKey: Buffer;
  identity: Buffer;
  message: Buffer;
}

export interface SenderKeyMessage {
  keyId: number;
  iteration: number;
  ciphertext: Buffer;
}

export interface SenderKeyDistribution {
  keyId: number;
  iteration: number;
  chainKey: Buffer;
  signingKey: Buffer;
}

const versioned = (body: Buffer) => Buffer.concat([Uint8Array.of(VERSION), body]);

function unversioned(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== VERSION) throw new Error(`a Signal message of version ${bytes[0] ?? "none"}`);
  return bytes.subarray(1);
}

/** Splits what a MAC or signature covers from the MAC or signature itself. */
const split = (bytes: Uint8Array, trailer: number) => ({
  signed: bytes.subarray(0, -trailer),
  proof: bytes.subarray(-trailer),
});

export const encodeWhisperMessage = ({ ratchetKey, counter, previousCounter, ciphertext }: WhisperMessage) =>
  versioned(
    encodeFields([
      [1, withTypeByte(ratchetKey)],
      [2, counter],
      [3, previousCounter],
      [4, ciphertext],
    ]),
  );

export function decodeWhisperMessage(bytes: Uint8Array) {
  const { signed, proof } = split(bytes, MAC_LENGTH);
  const fields = decodeFields(unversioned(signed));
  return {
    ratchetKey: withoutTypeByte(bytesField(fields, 1)),
    counter: numberField(fields, 2),
    ciphertext: bytesField(fields, 4),
    signed,
    mac: proof,
  };
}

export const encodePreKeyMessage = (message: PreKeyMessage) =>
  versioned(
    encodeFields([
      [1, message.preKeyId],
      [2, withTypeByte(message.baseKey)],
      [3, withTypeByte(message.identity)],
      [4, message.message],
      [5, message.registrationId],
      [6, message.signedPreKeyId],
    ]),
  );

export function decodePreKeyMessage(bytes: Uint8Array): PreKeyMessage {
  const fields = decodeFields(unversioned(bytes));
  return {
    preKeyId: fields.has(1) ? numberField(fields, 1) : undefined,
    baseKey: withoutTypeByte(bytesField(fields, 2)),
    identity: withoutTypeByte(bytesField(fields, 3)),
    message: bytesField(fields, 4),
    registrationId: numberField(fields, 5),
    signedPreKeyId: numberField(fields, 6),
  };
}

export const encodeSenderKeyMessage = ({ keyId, iteration, ciphertext }: SenderKeyMessage) =>
  versioned(
    encodeFields([
      [1, keyId],
      [2, iteration],
      [3, ciphertext],
    ]),
  );

export function decodeSenderKeyMessage(bytes: Uint8Array) {
  const { signed, proof } = split(bytes, SIGNATURE_LENGTH);
  const fields = decodeFields(unversioned(signed));
  return {
    keyId: numberField(fields, 1),
    iteration: numberField(fields, 2),
    ciphertext: bytesField(fields, 3),
    signed,
    signature: proof,
  };
}

export const encodeSenderKeyDistribution = (distribution: SenderKeyDistribution) =>
  versioned(
    encodeFields([
      [1, distribution.keyId],
      [2, distribution.iteration],
      [3, distribution.chainKey],
      [4, withTypeByte(distribution.signingKey)],
    ]),
  );

export function decodeSenderKeyDistribution(bytes: Uint8Array): SenderKeyDistribution {
  const fields = decodeFields(unversioned(bytes));
  return {
    keyId: numberField(fields, 1),
    iteration: numberField(fields, 2),
    chainKey: Buffer.from(bytesField(fields, 3)),
    signingKey: Buffer.from(withoutTypeByte(bytesField(fields, 4))),
  };
}
