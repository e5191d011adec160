/**
 * Who the server is to a client: root signs intermediate (issuerSerial 0), intermediate signs leaf, the leaf's key is the
 * Noise static key. Baileys rc14 compares with WA_CERT_DETAILS (noise-handler.js); a process under test is told our root.
 */
import { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import { generateKeyPair, sign, type KeyPair } from "../signal/curve.ts";

export interface ServerIdentity {
  /** 32 bytes: what WA_CERT_DETAILS.PUBLIC_KEY has to be. */
  rootKey: Buffer;
  staticKey: KeyPair;
  certificateChain: Buffer;
}

const ROOT_SERIAL = 0;
const INTERMEDIATE_SERIAL = 1;
const LEAF_SERIAL = 2;
const DAY_SECONDS = 86_400;

const { NoiseCertificate } = proto.CertChain;

function certificate(
  issuer: KeyPair,
  issuerSerial: number,
  serial: number,
  key: Buffer,
): proto.CertChain.INoiseCertificate {
  const now = Math.floor(Date.now() / 1000);
  const details = NoiseCertificate.Details.encode({
    serial,
    issuerSerial,
    key,
    notBefore: now - DAY_SECONDS,
    notAfter: now + 365 * DAY_SECONDS,
  }).finish();
  return { details, signature: sign(issuer, details) };
}

export function createServerIdentity(): ServerIdentity {
  const root = generateKeyPair();
  const intermediate = generateKeyPair();
  const staticKey = generateKeyPair();
  const chain = proto.CertChain.encode({
    intermediate: certificate(root, ROOT_SERIAL, INTERMEDIATE_SERIAL, intermediate.public),
    leaf: certificate(intermediate, INTERMEDIATE_SERIAL, LEAF_SERIAL, staticKey.public),
  }).finish();
  return { rootKey: root.public, staticKey, certificateChain: Buffer.from(chain) };
}
