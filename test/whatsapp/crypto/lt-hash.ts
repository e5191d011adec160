/** The homomorphic hash over a collection of app state: adding and removing members in any order gives the same value. */
import { derive } from "../signal/kdf.ts";

const LENGTH = 128;

export const EMPTY_LT_HASH = Buffer.alloc(LENGTH);

export function changeLtHash(hash: Buffer, change: { removed: Uint8Array[]; added: Uint8Array[] }): Buffer {
  const result = Buffer.from(hash);
  for (const member of change.removed) mix(result, member, -1);
  for (const member of change.added) mix(result, member, 1);
  return result;
}

/** Each member is stretched to 64 numbers of 16 bits, which are added one by one, overflow being dropped. */
function mix(hash: Buffer, member: Uint8Array, sign: 1 | -1): void {
  const stretched = derive(member, "WhatsApp Patch Integrity", LENGTH);
  for (let at = 0; at < LENGTH; at += 2) {
    hash.writeUInt16LE((hash.readUInt16LE(at) + sign * stretched.readUInt16LE(at)) & 0xffff, at);
  }
}
