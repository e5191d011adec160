/** Encryption for one companion: a Signal message of its own, started from its bundle when there is no session yet. */
import { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import { padMessage } from "../signal/padding.ts";
import type { Party, PeerBundle } from "../signal/party.ts";
import { signalAddress, takeBundle, type Companion } from "../state/companion.ts";
import { FROM_SERVER } from "../wire/jid.ts";
import { stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { deliver, stanzaKey } from "./delivery.ts";

/** Baileys rc14 uploads (5) when it is told of fewer than this (MIN_PREKEY_COUNT). */
const LOW_PREKEYS = 5;

export const padded = (message: proto.IMessage): Buffer => padMessage(proto.Message.encode(message).finish());

export function sealFor(
  companion: Companion,
  party: Party,
  message: proto.IMessage,
  world: Pick<World, "faults" | "events">,
  attributes: Record<string, string | number | undefined> = {},
  freshBundle?: PeerBundle,
): Stanza {
  const address = signalAddress(companion);
  const bundle = freshBundle ?? (party.hasSession(address) ? undefined : takeBundle(companion));
  const { type, ciphertext } = party.encrypt(address, padded(message), bundle);
  if (bundle && !freshBundle) warnOfLowPreKeys(companion, world);
  return stanza("enc", { v: 2, type, ...attributes }, ciphertext);
}

function warnOfLowPreKeys(companion: Companion, world: Pick<World, "faults" | "events">): void {
  if (companion.preKeys.length >= LOW_PREKEYS) return;
  // One id: while it is not acknowledged there is only one such notification in the queue.
  const id = `prekeys-${companion.device}`;
  const notification = stanza(
    "notification",
    { from: FROM_SERVER, type: "encrypt", id, t: Math.floor(Date.now() / 1000) },
    [stanza("count", { value: companion.preKeys.length })],
  );
  deliver(
    companion,
    { key: stanzaKey("notification", id), stanza: notification, afterOffline: false },
    world,
  );
}
