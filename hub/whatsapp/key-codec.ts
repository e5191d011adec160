/**
 * How each kind of Signal key becomes bytes and comes back. Most kinds have a short form of their own: the general one
 * (JSON with a visit to every member) would be the dearest part of handling a message.
 */
import { BufferJSON, proto, type SignalDataTypeMap } from "./baileys.ts";

type KeyType = keyof SignalDataTypeMap;

interface Codec {
  /** What is kept in memory until it is on disk; a copy where Baileys goes on changing what it stored. */
  hold(value: unknown): unknown;
  encode(held: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const same = (value: unknown): unknown => value;
const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");

/** Plain JSON without bytes inside. */
const json: Codec = {
  hold: same,
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes): unknown => JSON.parse(text(bytes)),
};

/** JSON that Baileys changes in place after storing it. */
const copiedJson: Codec = { ...json, hold: (value) => structuredClone(value) };

const jsonWithBytes: Codec = {
  hold: (value): unknown => JSON.parse(JSON.stringify(value, BufferJSON.replacer), BufferJSON.reviver),
  encode: (value) => Buffer.from(JSON.stringify(value, BufferJSON.replacer)),
  decode: (bytes): unknown => JSON.parse(text(bytes), BufferJSON.reviver),
};

const plainBytes: Codec = { hold: bytesOf, encode: bytesOf, decode: (bytes) => Buffer.from(bytes) };

const KEY_BYTES = 32;

const preKey: Codec = {
  hold: same,
  encode: (value) => {
    if (!isPair(value)) throw new TypeError("a pre-key is a pair of keys");
    return Buffer.concat([value.private, value.public]);
  },
  decode: (bytes) => {
    const both = Buffer.from(bytes);
    return { private: both.subarray(0, KEY_BYTES), public: both.subarray(KEY_BYTES) };
  },
};

/**
 * A sender key is JSON that Baileys wrote without its encoder for bytes: read back, the keys of skipped messages are no
 * bytes, and a group message that arrives after a later one fails. Written here in the form that its decoder understands.
 */
const senderKey: Codec = {
  hold: (value) => Buffer.from(repairSenderKey(text(bytesOf(value)))),
  encode: bytesOf,
  decode: (bytes) => Buffer.from(repairSenderKey(text(bytes))),
};

const BYTES_AS_NUMBERS = /\{"type":"Buffer","data":\[([\d,]*)\]\}/g;

function repairSenderKey(record: string): string {
  if (!record.includes('"data":[')) return record;
  return record.replace(BYTES_AS_NUMBERS, (_whole, numbers: string) => {
    const bytes = numbers === "" ? [] : numbers.split(",").map(Number);
    return `{"type":"Buffer","data":"${Buffer.from(bytes).toString("base64")}"}`;
  });
}

const appStateKey: Codec = {
  hold: same,
  encode: (value) => {
    if (typeof value !== "object" || value === null) throw new TypeError("an app-state key is an object");
    return proto.Message.AppStateSyncKeyData.encode(
      proto.Message.AppStateSyncKeyData.fromObject(value),
    ).finish();
  },
  decode: (bytes) => proto.Message.AppStateSyncKeyData.decode(bytes),
};

const CODECS: Record<KeyType, Codec> = {
  session: json,
  "pre-key": preKey,
  "sender-key": senderKey,
  "sender-key-memory": copiedJson,
  "app-state-sync-key": appStateKey,
  "app-state-sync-version": jsonWithBytes,
  "lid-mapping": json,
  "device-list": copiedJson,
  tctoken: jsonWithBytes,
  "identity-key": plainBytes,
};

const isKeyType = (type: string): type is KeyType => Object.hasOwn(CODECS, type);

/** A kind this version of Baileys does not have is kept in the general form. */
export const codecOf = (type: string): Codec => (isKeyType(type) ? CODECS[type] : jsonWithBytes);

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError("bytes expected");
  return value;
}

const isPair = (value: unknown): value is { private: Uint8Array; public: Uint8Array } =>
  typeof value === "object" &&
  value !== null &&
  "private" in value &&
  "public" in value &&
  value.private instanceof Uint8Array &&
  value.public instanceof Uint8Array;
