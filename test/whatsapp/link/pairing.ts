/**
 * Linking a companion: it offers its keys, a phone vouches for it, it signs back, the server sends it to log in (515).
 * Stanzas as Baileys rc14 handles them in socket.js (pair-device, pair-success) and validate-connection.js.
 */
import type { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import {
  deviceIdentityNodeBytes,
  issueDeviceIdentity,
  sealDeviceIdentity,
} from "../crypto/device-identity.ts";
import { linkedCompanions, type Account } from "../state/account.ts";
import type { Companion } from "../state/companion.ts";
import { createStanzaQueue } from "../state/queue.ts";
import { FROM_SERVER, lidJid, pnJid } from "../wire/jid.ts";
import { childOf, requiredBytes, stanza, uintOf, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { streamError, type Connection } from "./connection.ts";
import { parseQr } from "./qr.ts";
import { newRefs, type Registration, type WaitingCompanion } from "./waiting-room.ts";

export type PairingOutcome =
  { outcome: "paired"; account: string; device: number } | { outcome: "refused"; reason: string };

const RESTART_REQUIRED = 515;

export function readRegistration(data: proto.ClientPayload.IDevicePairingRegistrationData): Registration {
  const { eRegid, eIdent, eSkeyId, eSkeyVal, eSkeySig } = data;
  if (!eRegid || !eIdent || !eSkeyId || !eSkeyVal || !eSkeySig) throw new Error("registration without keys");
  return {
    registrationId: uintOf(eRegid),
    identity: Buffer.from(eIdent),
    signedPreKey: { id: uintOf(eSkeyId), public: Buffer.from(eSkeyVal), signature: Buffer.from(eSkeySig) },
  };
}

/** A companion without an account connected: it gets the texts for its QR codes. */
export function offerPairing(
  connection: Connection,
  noiseKey: Buffer,
  registration: Registration,
  { waiting, events, counters }: Pick<World, "waiting" | "events" | "counters">,
): void {
  const refs = newRefs();
  waiting.enter({ ...registration, connection, noiseKey, refs });
  counters.add("registrations");
  connection.send(
    stanza("iq", { from: FROM_SERVER, type: "set", xmlns: "md", id: `pair-${connection.id}` }, [
      stanza(
        "pair-device",
        {},
        refs.map((ref) => stanza("ref", {}, Buffer.from(ref))),
      ),
    ]),
  );
  events.emit({ type: "qr.offered", detail: { connection: connection.id } });
}

/** The phone's camera saw the QR code of a waiting companion. */
export async function scanQr(text: string, account: Account, world: World): Promise<PairingOutcome> {
  const code = parseQr(text);
  const companion = world.waiting.byRef(code.ref);
  if (!companion)
    return { outcome: "refused", reason: "no connected companion shows this QR code (expired?)" };
  if (!companion.noiseKey.equals(code.noiseKey) || !companion.identity.equals(code.identity))
    return {
      outcome: "refused",
      reason: "the QR code and the companion that was given its ref differ in their keys",
    };
  return linkCompanion(companion, account, code.advSecret, world);
}

/** The phone vouches for the companion; done when it signed back, or went away. */
export function linkCompanion(
  waiting: WaitingCompanion,
  account: Account,
  advSecret: Buffer,
  world: World,
): Promise<PairingOutcome> {
  const device = account.nextDevice++;
  const issued = issueDeviceIdentity({
    phoneIdentity: account.owner.party().identityKeyPair,
    companionIdentity: waiting.identity,
    keyIndex: device,
    wrongAccountSignature: world.faults.take("wrong-account-signature", account.number) !== undefined,
  });
  const id = `link-${waiting.connection.id}-${device}`;

  return new Promise((resolve) => {
    const finish = (outcome: PairingOutcome): void => {
      waiting.onStanza = undefined;
      waiting.onClosed = undefined;
      if (outcome.outcome === "refused") {
        world.counters.add("pairingsRefused");
        world.events.emit({
          type: "pairing.refused",
          account: account.number,
          detail: { reason: outcome.reason },
        });
      }
      resolve(outcome);
    };
    waiting.onClosed = () => finish({ outcome: "refused", reason: "the companion closed the connection" });
    waiting.onStanza = (answer) => {
      if (answer.tag !== "iq" || answer.attrs["id"] !== id) return;
      const signed = childOf(answer, "pair-device-sign");
      if (!signed) {
        finish({ outcome: "refused", reason: "the companion did not sign" });
        return;
      }
      // Throws when the device signature is wrong; the connection is broken then.
      deviceIdentityNodeBytes(issued, waiting.identity, requiredBytes(signed, "device-identity"));
      settle(waiting, account, device, world);
      finish({ outcome: "paired", account: account.number, device });
    };
    waiting.connection.send(pairSuccess(id, account, device, sealDeviceIdentity(issued, advSecret)));
  });
}

function pairSuccess(
  id: string,
  { number, owner, options }: Account,
  device: number,
  sealed: Buffer,
): Stanza {
  return stanza("iq", { from: FROM_SERVER, type: "set", xmlns: "md", id, t: Math.floor(Date.now() / 1000) }, [
    stanza("pair-success", {}, [
      stanza("device-identity", {}, sealed),
      ...(options.businessName === null ? [] : [stanza("biz", { name: options.businessName })]),
      stanza("device", { jid: pnJid(number, device), lid: lidJid(owner.lid, device) }),
      stanza("platform", { name: options.businessName === null ? "android" : "smba" }),
    ]),
  ]);
}

function settle(waiting: WaitingCompanion, account: Account, device: number, world: World): void {
  const companion: Companion = {
    account,
    device,
    noiseKey: waiting.noiseKey.toString("hex"),
    identity: waiting.identity,
    keyIndex: device,
    registrationId: waiting.registrationId,
    signedPreKey: waiting.signedPreKey,
    preKeys: [],
    state: "linked",
    live: false,
    withheld: false,
    recent: new Map(),
    available: false,
    historySent: false,
    queue: createStanzaQueue(),
    answeredRetries: new Map(),
  };
  account.companions.set(device, companion);
  world.waiting.leave(waiting.connection);
  world.counters.add("pairings");
  world.events.emit({
    type: "paired",
    account: account.number,
    device,
    detail: { devices: linkedCompanions(account).length },
  });
  // The companion has to come back as itself: nothing more is said on this connection.
  waiting.connection.endWith(streamError(RESTART_REQUIRED));
}
