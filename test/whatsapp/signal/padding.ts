/** Message padding of WhatsApp: 1 to 16 bytes, each holding the number of them. */
import { randomInt } from "node:crypto";

export function padMessage(message: Uint8Array, length = randomInt(1, 17)): Buffer {
  return Buffer.concat([message, Buffer.alloc(length, length)]);
}

export function unpadMessage(padded: Uint8Array): Buffer {
  const length = padded.at(-1);
  if (length === undefined || length === 0 || length > padded.length)
    throw new Error("wrong message padding");
  return Buffer.from(padded.subarray(0, padded.length - length));
}
