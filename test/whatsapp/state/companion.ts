/** A device linked to an account (the program under test), as WhatsApp's server knows it. */
import type { Connection } from "../link/connection.ts";
import type { PeerBundle } from "../signal/party.ts";
import type { Account } from "./account.ts";
import type { Stanza } from "../wire/stanza.ts";
import type { Queued, StanzaQueue } from "./queue.ts";

/** linked → removed (by the phone, or by the companion's own logout), which is final: its logins are refused with 401. */
export type CompanionState = "linked" | "removed";

export interface Companion {
  readonly account: Account;
  readonly device: number;
  /** Hex of the Noise static key: logins are recognised by it. */
  readonly noiseKey: string;
  readonly identity: Buffer;
  readonly keyIndex: number;
  registrationId: number;
  signedPreKey: PeerBundle["signedPreKey"];
  /** One-time prekeys that nobody took yet. */
  preKeys: { id: number; public: Buffer }[];
  state: CompanionState;
  connection?: Connection | undefined;
  /** True from the end of the offline batch on: stanzas go out as they come. */
  live: boolean;
  /** The server answers queries but keeps messages to itself (a connection that is deaf). */
  withheld: boolean;
  /** Messages that are held until there are as many as `order` names, then sent in that order. */
  reorder?: { order: number[]; held: Queued[] } | undefined;
  /** The newest messages as they went out, to be played again. */
  readonly recent: Map<string, Stanza>;
  available: boolean;
  /** The phone hands its history over once. */
  historySent: boolean;
  readonly queue: StanzaQueue;
  /** How often a message id was asked for again, and how many nacks of those are still to come (Baileys sends one after each retry receipt). */
  readonly answeredRetries: Map<string, number>;
}

/** How the account's people name this device among their Signal sessions; the same for both addressings. */
export const signalAddress = (companion: Companion): string =>
  `${companion.account.number}:${companion.device}`;

/** A bundle to start a session with; takes a one-time prekey as long as there is one. */
export function takeBundle(companion: Companion): PeerBundle {
  const preKey = companion.preKeys.shift();
  return {
    registrationId: companion.registrationId,
    identity: companion.identity,
    signedPreKey: companion.signedPreKey,
    ...(preKey ? { preKey } : {}),
  };
}
