/** The text of a QR code: `[https://wa.me/settings/linked_devices#]ref,noiseKey,identityKey,advSecret[,platform]` (URL form since rc13). */

export interface QrCode {
  ref: string;
  noiseKey: Buffer;
  identity: Buffer;
  advSecret: Buffer;
}

const KEY = 32;

export function parseQr(text: string): QrCode {
  const fields = text
    .trim()
    .slice(text.trim().indexOf("#") + 1)
    .split(",");
  const [ref, noiseKey, identity, advSecret] = fields;
  if (!ref || !noiseKey || !identity || !advSecret) throw new QrError();
  const code = { ref, noiseKey: key(noiseKey), identity: key(identity), advSecret: key(advSecret) };
  return code;
}

export class QrError extends Error {
  constructor() {
    super("this is not the text of a WhatsApp QR code");
  }
}

function key(base64: string): Buffer {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== KEY) throw new QrError();
  return bytes;
}
