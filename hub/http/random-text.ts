/** Random text of letters and digits, for credentials that people copy. */
import { randomBytes } from "node:crypto";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Bytes from here on would make the first letters likelier than the others. */
const FAIR_BYTES = 256 - (256 % BASE62.length);

export function randomText(length: number): string {
  let text = "";
  while (text.length < length)
    for (const byte of randomBytes(length))
      if (byte < FAIR_BYTES) text += BASE62.charAt(byte % BASE62.length);
  return text.slice(0, length);
}
