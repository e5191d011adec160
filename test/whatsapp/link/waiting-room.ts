/** Companions that offered their keys and show a QR code (or asked for a pairing code), until a phone links them. */
import { randomBytes } from "node:crypto";
import type { PeerBundle } from "../signal/party.ts";
import type { Stanza } from "../wire/stanza.ts";
import type { Connection } from "./connection.ts";

/** What a companion registers with: `devicePairingData` of its ClientPayload. */
export interface Registration {
  registrationId: number;
  identity: Buffer;
  signedPreKey: PeerBundle["signedPreKey"];
}

export interface WaitingCompanion extends Registration {
  readonly connection: Connection;
  readonly noiseKey: Buffer;
  /** The texts its QR codes may start with; the client shows one after the other. */
  readonly refs: string[];
  /** It asked for a pairing code for this number. */
  code?: { number: string; ref: string; wrappedCompanionEphemeralPub: Buffer } | undefined;
  /** Takes the answers while the link is being made. */
  onStanza?: ((node: Stanza) => void) | undefined;
  onClosed?: (() => void) | undefined;
}

export interface WaitingRoom {
  enter(companion: WaitingCompanion): void;
  leave(connection: Connection): WaitingCompanion | undefined;
  of(connection: Connection): WaitingCompanion | undefined;
  byRef(ref: string): WaitingCompanion | undefined;
  /** Waiting for its code to be typed on the phone of that number. */
  byNumber(number: string): WaitingCompanion | undefined;
  all(): WaitingCompanion[];
}

const REFS = 6;
/** As WhatsApp's look; any text without a comma would do. */
export const newRefs = (): string[] =>
  Array.from({ length: REFS }, () => `2@${randomBytes(48).toString("base64")}`);

export function createWaitingRoom(): WaitingRoom {
  const waiting = new Map<Connection, WaitingCompanion>();
  const find = (fits: (companion: WaitingCompanion) => boolean): WaitingCompanion | undefined =>
    [...waiting.values()].reverse().find(fits);
  return {
    enter: (companion) => void waiting.set(companion.connection, companion),
    leave(connection) {
      const companion = waiting.get(connection);
      waiting.delete(connection);
      return companion;
    },
    of: (connection) => waiting.get(connection),
    byRef: (ref) => find((companion) => companion.refs.includes(ref)),
    byNumber: (number) => find((companion) => companion.code?.number === number),
    all: () => [...waiting.values()],
  };
}
