/** How a stanza is kept in the intake: what a message is made of, and of its ciphertext only what is not decrypted yet. */
import type { BinaryNode } from "./baileys.ts";
import type { InFlight } from "./in-flight.ts";

/** Children whose bytes a message needs beside its plaintext. */
const KEPT_CHILDREN = ["enc", "plaintext", "verified_name", "unavailable"];

interface KeptChild {
  tag: string;
  attrs: Record<string, string>;
  /** Base64 of the content. */
  bytes?: string;
  /** Base64 of the id under which the plaintext of an `enc` is kept. */
  encId?: string;
}

interface KeptStanza {
  attrs: Record<string, string>;
  children: KeptChild[];
}

export function keepStanza(stanza: InFlight): Uint8Array {
  const { node } = stanza;
  const children: KeptChild[] = [];
  let at = 0;
  for (const child of Array.isArray(node.content) ? node.content : []) {
    if (!KEPT_CHILDREN.includes(child.tag)) continue;
    const kept: KeptChild = { tag: child.tag, attrs: child.attrs };
    const bytes = child.content instanceof Uint8Array ? child.content : null;
    const part = child.tag === "enc" && bytes !== null ? stanza.parts[at++] : undefined;
    if (part !== undefined) kept.encId = base64(part.encId);
    if (bytes !== null && (part === undefined || part.plain === null)) kept.bytes = base64(bytes);
    children.push(kept);
  }
  return Buffer.from(JSON.stringify({ attrs: node.attrs, children } satisfies KeptStanza));
}

/** A stanza as it was kept. `encIds` are those of its encrypted parts, in order. */
export interface ReadStanza {
  node: BinaryNode;
  encIds: Uint8Array[];
  /** Every encrypted part still has its ciphertext. */
  hasCiphertext: boolean;
}

export function readStanza(bytes: Uint8Array): ReadStanza {
  // Written by `keepStanza` and sealed: nothing else can have made it.
  const { attrs, children } = JSON.parse(Buffer.from(bytes).toString("utf8")) as KeptStanza;
  const encIds: Uint8Array[] = [];
  let hasCiphertext = true;
  const content = children.map((child): BinaryNode => {
    if (child.encId !== undefined) {
      encIds.push(Buffer.from(child.encId, "base64"));
      hasCiphertext &&= child.bytes !== undefined;
    }
    return {
      tag: child.tag,
      attrs: child.attrs,
      ...(child.bytes === undefined && child.encId === undefined
        ? {}
        : { content: Buffer.from(child.bytes ?? "", "base64") }),
    };
  });
  return { node: { tag: "message", attrs, content }, encIds, hasCiphertext };
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
