/**
 * Stanzas: WhatsApp's XML in binary form. The token dictionary and the coding are Baileys' own (rc14, WABinary), as both
 * ends must agree on them byte for byte; reading and building are ours.
 */
import { inflateSync } from "node:zlib";
import * as dictionary from "@whiskeysockets/baileys/lib/WABinary/constants.js";
import {
  decodeDecompressedBinaryNode,
  encodeBinaryNode,
  type BinaryNode,
} from "@whiskeysockets/baileys/lib/WABinary/index.js";

export type Stanza = BinaryNode;
export type StanzaContent = BinaryNode["content"];
type Attributes = Record<string, string | number | undefined>;

/** Attributes that are undefined are left out; numbers travel as text. */
export function stanza(tag: string, attributes: Attributes = {}, content?: StanzaContent): Stanza {
  const attrs: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) attrs[name] = String(value);
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

export const encodeStanza = (node: Stanza): Buffer => encodeBinaryNode(node);

const COMPRESSED = 2;
export function decodeStanza(bytes: Buffer): Stanza {
  const body = bytes.subarray(1);
  return decodeDecompressedBinaryNode((bytes[0] ?? 0) & COMPRESSED ? inflateSync(body) : body, dictionary);
}

export const childrenOf = (node: Stanza | undefined): Stanza[] =>
  Array.isArray(node?.content) ? node.content : [];

export const childOf = (node: Stanza | undefined, tag: string): Stanza | undefined =>
  childrenOf(node).find((child) => child.tag === tag);

/** Content as bytes; text content counts (the coding may turn short bytes into a token). */
export function bytesOf(node: Stanza | undefined): Buffer | undefined {
  if (node?.content instanceof Uint8Array) return Buffer.from(node.content);
  return typeof node?.content === "string" ? Buffer.from(node.content) : undefined;
}

export const textOf = (node: Stanza | undefined): string | undefined => bytesOf(node)?.toString("utf8");

export function requiredBytes(node: Stanza | undefined, tag: string): Buffer {
  const bytes = bytesOf(childOf(node, tag));
  if (!bytes) throw new Error(`<${node?.tag ?? "?"}> has no <${tag}>`);
  return bytes;
}

export const uintBytes = (value: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
};

export const uintOf = (bytes: Uint8Array): number => Buffer.from(bytes).readUIntBE(0, bytes.length);
