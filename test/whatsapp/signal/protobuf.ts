/** As much of protobuf as Signal's own messages need: unsigned numbers and bytes. */

export type Fields = Map<number, number | Buffer>;

const VARINT = 0;
const BYTES = 2;

/** Fields whose value is undefined are left out. */
export function encodeFields(fields: [field: number, value: number | Uint8Array | undefined][]): Buffer {
  const parts: Uint8Array[] = [];
  for (const [field, value] of fields) {
    if (value === undefined) continue;
    if (typeof value === "number") parts.push(varints((field << 3) | VARINT, value));
    else parts.push(varints((field << 3) | BYTES, value.length), value);
  }
  return Buffer.concat(parts);
}

export function decodeFields(bytes: Uint8Array): Fields {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Fields = new Map();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = buffer.readUInt8(at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 56) throw new Error("a protobuf number without end");
    }
  };
  while (at < buffer.length) {
    const tag = varint();
    const wireType = tag & 7;
    const value = varint();
    if (wireType === VARINT) fields.set(tag >>> 3, value);
    else if (wireType === BYTES) fields.set(tag >>> 3, slice(buffer, at, (at += value)));
    else throw new Error(`protobuf wire type ${wireType} in a Signal message`);
  }
  return fields;
}

export function numberField(fields: Fields, field: number): number {
  const value = fields.get(field);
  if (typeof value !== "number") throw new Error(`field ${field} of a Signal message is not a number`);
  return value;
}

export function bytesField(fields: Fields, field: number): Buffer {
  const value = fields.get(field);
  if (!Buffer.isBuffer(value)) throw new Error(`field ${field} of a Signal message is not bytes`);
  return value;
}

function slice(buffer: Buffer, from: number, to: number): Buffer {
  if (to > buffer.length) throw new Error("a Signal message is cut short");
  return buffer.subarray(from, to);
}

function varints(...values: number[]): Uint8Array {
  const bytes: number[] = [];
  for (let value of values) {
    for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
    bytes.push(value);
  }
  return Uint8Array.from(bytes);
}
