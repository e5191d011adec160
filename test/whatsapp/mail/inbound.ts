/** Messages to the program under test: from contacts, in groups, and copies of what is typed on the phone. */
import { randomBytes } from "node:crypto";
import type { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { Party } from "../signal/party.ts";
import { linkedCompanions } from "../state/account.ts";
import { signalAddress, type Companion } from "../state/companion.ts";
import type { Group } from "../state/groups.ts";
import type { LedgerEntry } from "../state/ledger.ts";
import { addressOf, type Person } from "../state/people.ts";
import { groupJid } from "../wire/jid.ts";
import { stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { deliver, messageKey } from "./delivery.ts";
import { stanzaAttributes, type Envelope } from "./envelope.ts";
import { padded, sealFor } from "./sealing.ts";

/** As Baileys' own ids look. Counted, as drawing each one would cost a burst more than its encryption. */
const prefix = randomBytes(5).toString("hex").toUpperCase();
let lastId = 0;
export const newMessageId = (): string =>
  `3A${prefix}${(++lastId).toString(16).toUpperCase().padStart(8, "0")}`;

/** To every linked device of the account. */
export function post(envelope: Envelope, world: World): LedgerEntry[] {
  return postToEach([envelope], world);
}

/** The same message to several accounts: in a group they all get the same ciphertext. */
export function postToEach(envelopes: Envelope[], world: World): LedgerEntry[] {
  const [first] = envelopes;
  const inCommon = first?.group ? inGroup(first, first.group, world) : undefined;
  return envelopes.flatMap((envelope) => {
    world.resends.keep(envelope.account.number, envelope);
    const encrypted = inCommon ?? oneToOne(envelope, world);
    return linkedCompanions(envelope.account).map((companion) => {
      const entry = world.ledger.queued({
        id: envelope.id,
        account: envelope.account.number,
        device: companion.device,
        contact: envelope.sender.pn,
        group: envelope.group?.id,
        kind: envelope.kind,
        text: envelope.text,
      });
      send(companion, envelope, encrypted(companion), entry, world);
      return entry;
    });
  });
}

/** Also for resends: the same id takes the place of what was queued before. */
export function send(
  companion: Companion,
  envelope: Envelope,
  content: Stanza[],
  entry: LedgerEntry,
  world: World,
): void {
  deliver(
    companion,
    {
      key: messageKey(envelope.id),
      stanza: stanza("message", stanzaAttributes(envelope), content),
      afterOffline: false,
      onSent: () => world.ledger.sent(entry),
    },
    world,
  );
}

/** What is encrypted: a copy of what the phone sent says where it went. */
export function plaintextOf({ message, fromPhoneTo, group, addressing }: Envelope): proto.IMessage {
  const destination = fromPhoneTo ? addressOf(fromPhoneTo, addressing) : undefined;
  if (destination === undefined || group) return message;
  return {
    deviceSentMessage: { destinationJid: destination, message },
    messageContextInfo: message.messageContextInfo ?? null,
  };
}

const encAttributes = ({ mediaType, kind }: Envelope): Record<string, string | undefined> => ({
  mediatype: mediaType,
  "decrypt-fail": kind === "reaction" ? "hide" : undefined,
});

const oneToOne =
  (envelope: Envelope, world: World) =>
  (companion: Companion): Stanza[] => {
    const enc = sealFor(
      companion,
      envelope.sender.party(),
      plaintextOf(envelope),
      world,
      encAttributes(envelope),
    );
    return [damagedPerhaps(enc, companion, world)];
  };

/** One ciphertext for all; whoever does not know the sender's key yet is told it in the same stanza. */
function inGroup(envelope: Envelope, group: Group, world: World): (companion: Companion) => Stanza[] {
  const jid = groupJid(group.id);
  const party = envelope.sender.party();
  // Before encrypting: the key at the place from which this message can be read.
  const distribution = keyMessage(party, jid);
  const ciphertext = party.encryptGroup(jid, padded(envelope.message));
  return (companion) => {
    const told = toldBy(group, envelope.sender);
    const address = signalAddress(companion);
    const key = told.has(address) ? [] : [sealFor(companion, party, distribution, world)];
    told.add(address);
    const enc = stanza("enc", { v: 2, type: "skmsg", ...encAttributes(envelope) }, ciphertext);
    return [...key, damagedPerhaps(enc, companion, world)];
  };
}

export const keyMessage = (party: Party, group: string): proto.IMessage => ({
  senderKeyDistributionMessage: {
    groupId: group,
    axolotlSenderKeyDistributionMessage: party.senderKeyDistribution(group),
  },
});

function toldBy(group: Group, sender: Person): Set<string> {
  const told = group.told.get(sender.pn) ?? new Set<string>();
  group.told.set(sender.pn, told);
  return told;
}

function damagedPerhaps(enc: Stanza, companion: Companion, { faults }: Pick<World, "faults">): Stanza {
  if (!faults.take("corrupt", companion.account.number) || !(enc.content instanceof Uint8Array)) return enc;
  const bytes = Buffer.from(enc.content);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 0xff;
  return { ...enc, content: bytes };
}
