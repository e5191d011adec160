/**
 * A TLS certificate, written as DER by hand: Baileys uploads media by https only, node:crypto makes keys and
 * signatures but no certificates, and a fresh machine may have no openssl. X.509 v3, P-256, valid for a year.
 */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface TlsCertificate {
  /** PEM. It is its own authority: this is also what a client has to trust. */
  certificate: string;
  privateKey: string;
  commonName: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OID = 0x06;
const UTF8 = 0x0c;
const UTC_TIME = 0x17;
const TRUE = Buffer.from([0x01, 0x01, 0xff]);
const NAME_DNS = 0x82;
const NAME_IP = 0x87;
const EXPLICIT_0 = 0xa0;
const EXPLICIT_3 = 0xa3;

const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const COMMON_NAME = "550403";
const SUBJECT_ALT_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(4, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

const oid = (hex: string): Buffer => der(OID, Buffer.from(hex, "hex"));
const utcTime = (at: Date): Buffer =>
  der(UTC_TIME, Buffer.from(`${at.toISOString().replace(/\D/g, "").slice(2, 14)}Z`));
const pem = (label: string, body: Buffer): string =>
  `-----BEGIN ${label}-----\n${(body.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END ${label}-----\n`;

const named = (commonName: string): Buffer =>
  der(SEQUENCE, der(SET, der(SEQUENCE, oid(COMMON_NAME), der(UTF8, Buffer.from(commonName)))));

/** For 127.0.0.1, the given names and their subdomains; its own authority unless another one signs it. */
export function createTlsCertificate(
  names: string[],
  now = new Date(),
  {
    commonName = "WhatsApp emulator (tests only)",
    signedBy,
  }: { commonName?: string; signedBy?: TlsCertificate } = {},
): TlsCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(SEQUENCE, oid(ECDSA_WITH_SHA256));
  const alternatives = der(
    SEQUENCE,
    der(NAME_IP, Buffer.from([127, 0, 0, 1])),
    ...names.flatMap((host) => [der(NAME_DNS, Buffer.from(host)), der(NAME_DNS, Buffer.from(`*.${host}`))]),
  );
  const extensions = der(
    SEQUENCE,
    der(SEQUENCE, oid(SUBJECT_ALT_NAME), der(OCTET_STRING, alternatives)),
    der(SEQUENCE, oid(BASIC_CONSTRAINTS), TRUE, der(OCTET_STRING, der(SEQUENCE, TRUE))),
  );
  const toBeSigned = der(
    SEQUENCE,
    der(EXPLICIT_0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    named(signedBy?.commonName ?? commonName),
    der(
      SEQUENCE,
      utcTime(new Date(now.getTime() - 86_400_000)),
      utcTime(new Date(now.getTime() + 365 * 86_400_000)),
    ),
    named(commonName),
    publicKey.export({ type: "spki", format: "der" }),
    der(EXPLICIT_3, extensions),
  );
  const signature = sign("sha256", toBeSigned, signedBy?.privateKey ?? privateKey);
  const body = der(SEQUENCE, toBeSigned, algorithm, der(BIT_STRING, Buffer.from([0]), signature));
  return {
    commonName,
    certificate: pem("CERTIFICATE", body),
    privateKey: String(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}
