/** Certificates of authorities of one's own, which one endpoint's certificate may be signed by: read, judged, and trusted beside the system's. */
import { X509Certificate } from "node:crypto";
import tls from "node:tls";

/** What is shown of one. */
export interface Authority {
  subject: string;
  validUntil: Date;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const MAX_LENGTH = 64 * 1024;
const MAX_CERTIFICATES = 10;

const partsOf = (pem: string): string[] => pem.match(CERTIFICATE) ?? [];

/** What keeps a text from being used, in words for whoever gave it. */
export function authorityProblems(pem: string, now: Date): string[] {
  if (pem.length > MAX_LENGTH) return [`use at most ${MAX_LENGTH} characters`];
  if (pem.includes("PRIVATE KEY-----"))
    return ["holds a private key, which has no place here: give certificates only"];
  const parts = partsOf(pem);
  if (parts.length === 0) return ["use PEM: -----BEGIN CERTIFICATE----- … -----END CERTIFICATE-----"];
  if (parts.length > MAX_CERTIFICATES) return [`use at most ${MAX_CERTIFICATES} certificates`];
  return parts.flatMap((part, index) => {
    const problem = problemOf(part, now);
    return problem === null ? [] : [`certificate ${index + 1} ${problem}`];
  });
}

function problemOf(part: string, now: Date): string | null {
  const certificate = readCertificate(part);
  if (certificate === null) return "cannot be read";
  const { subject, validUntil } = shown(certificate);
  if (validUntil < now) return `(${subject}) has expired`;
  // One that signed itself is its own authority; any other that is none would never be looked at.
  if (!certificate.ca && !certificate.verify(certificate.publicKey))
    return `(${subject}) is no authority: give the one that signed it`;
  return null;
}

function readCertificate(part: string): X509Certificate | null {
  try {
    return new X509Certificate(part);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause) return null;
    throw cause;
  }
}

const shown = (certificate: X509Certificate): Authority => ({
  // A line for each part of the name.
  subject: certificate.subject.split("\n").join(", "),
  validUntil: new Date(certificate.validTo),
});

/** Of a text that was checked. */
export const authoritiesIn = (pem: string): Authority[] =>
  partsOf(pem).map((part) => shown(new X509Certificate(part)));

/**
 * For connections that trust these and the authorities Node comes with. The name is checked as ever. What NODE_EXTRA_CA_CERTS
 * adds is known to Node alone before 22.15, so that there such an endpoint does not trust it.
 */
export function trusting(pem: string): tls.SecureContext {
  // The typings are those of Node 20.
  const { getCACertificates } = tls as typeof tls & { getCACertificates?: (of: "default") => string[] };
  const known = getCACertificates?.("default") ?? tls.rootCertificates;
  return tls.createSecureContext({
    ca: [...known, ...partsOf(pem)],
    // Whoever gives the authority that signed the certificate, and not the one above it, means that one.
    allowPartialTrustChain: true,
    minVersion: "TLSv1.2",
  });
}
