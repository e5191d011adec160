/** The stanzas of one generation that Baileys is working on, found again by the very ciphertext object it decrypts. */
import { createHash } from "node:crypto";
import type { BinaryNode } from "./baileys.ts";

/** One encrypted part of a stanza. */
export interface Part {
  stanza: InFlight;
  encId: Uint8Array;
  /** Null until decrypted. */
  plain: Uint8Array | null;
  failed: boolean;
}

export interface InFlight {
  /** Order of arrival in this process. */
  order: number;
  node: BinaryNode;
  digest: Uint8Array;
  id: string;
  /** Raw addresses, as WhatsApp wrote them. */
  chat: string;
  participant: string;
  seenAt: Date;
  parts: Part[];
  /** Answered from a plaintext kept before: it was delivered again. */
  again: boolean;
  /** Left open by an earlier connection (or an earlier minute), and taken up from its row. */
  restored: boolean;
}

export type RestoredPart = Pick<Part, "encId" | "plain">;

export interface InFlightStanzas {
  /** Registers a message stanza; its encrypted parts become findable. */
  add(node: BinaryNode, seenAt: Date): InFlight;
  /** Takes up a stanza that an earlier connection left open. */
  restore(kept: Omit<InFlight, "order" | "parts" | "again" | "restored">, parts: RestoredPart[]): InFlight;
  /** The part a ciphertext belongs to. */
  partOf(ciphertext: Uint8Array): Part | undefined;
}

/** Counts over all sessions and generations of the process: later is later. */
let arrivals = 0;

export function createInFlightStanzas(sessionId: string): InFlightStanzas {
  // By reference: identical ciphertext under two identities is two objects, and what Baileys drops is forgotten by itself.
  const parts = new WeakMap<Uint8Array, Part>();
  const register = (stanza: InFlight): InFlight => {
    for (const [at, cipher] of encryptedChildren(stanza.node).entries()) {
      const part = stanza.parts[at];
      if (part !== undefined) parts.set(cipher, part);
    }
    return stanza;
  };
  return {
    add: (node, seenAt) => register(describe(sessionId, node, seenAt)),
    restore: (kept, restored) => {
      const stanza: InFlight = { ...kept, order: ++arrivals, parts: [], again: false, restored: true };
      stanza.parts = restored.map((part) => ({ ...part, stanza, failed: false }));
      return register(stanza);
    },
    partOf: (ciphertext) => parts.get(ciphertext),
  };
}

/** The encrypted contents of a stanza that Baileys will decrypt, in its order. */
export function encryptedChildren(node: BinaryNode): Uint8Array[] {
  if (!Array.isArray(node.content)) return [];
  const found: Uint8Array[] = [];
  for (const { tag, content } of node.content)
    if (tag === "enc" && content instanceof Uint8Array) found.push(content);
  return found;
}

function describe(sessionId: string, node: BinaryNode, seenAt: Date): InFlight {
  const { id = "", from = "", participant = "", recipient } = node.attrs;
  // The session is part of the identity because two linked numbers in one group get identical ciphertext; the stanza is,
  // because old ciphertext under a new id must not be answered from what was kept.
  const identity = `${sessionId}\n${id}\n${from}\n${participant}\n`;
  const ids = encryptedChildren(node).map((cipher) =>
    createHash("sha256").update(identity).update(cipher).digest(),
  );
  const [only] = ids;
  const stanza: InFlight = {
    order: ++arrivals,
    node,
    digest: ids.length === 1 && only !== undefined ? only : digestOf(identity, node, ids),
    id,
    chat: recipient ?? from,
    participant,
    seenAt,
    parts: [],
    again: false,
    restored: false,
  };
  stanza.parts = ids.map((encId) => ({ stanza, encId, plain: null, failed: false }));
  return stanza;
}

function digestOf(identity: string, node: BinaryNode, ids: Uint8Array[]): Uint8Array {
  const hash = createHash("sha256").update(identity);
  for (const id of ids) hash.update(id);
  // Without ciphertext the stanza itself is what makes it different from the next one of that id.
  if (ids.length === 0) hash.update(JSON.stringify(node));
  return hash.digest();
}

export const isComplete = (stanza: InFlight): boolean => stanza.parts.every((part) => part.plain !== null);
