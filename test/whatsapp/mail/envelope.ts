/** A message on its way to one account, before it is encrypted: all that is needed to make its stanza, and to make it again. */
import type { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { Account } from "../state/account.ts";
import type { Group } from "../state/groups.ts";
import { addressOf, otherAddressOf, type Addressing, type Person } from "../state/people.ts";
import { groupJid } from "../wire/jid.ts";

export interface Envelope {
  id: string;
  account: Account;
  sender: Person;
  group?: Group | undefined;
  /** Written on the account's own phone, to this person (or into the group). */
  fromPhoneTo?: Person | undefined;
  addressing: Addressing;
  message: proto.IMessage;
  kind: string;
  text?: string | undefined;
  type: string;
  mediaType?: string | undefined;
  edit?: string | undefined;
  /** Unix seconds. */
  timestamp: number;
  /** Stanza attributes that tests want otherwise. */
  overrides?: Record<string, string> | undefined;
}

/** Attributes of `<message>`, as Baileys rc14 reads them (decode-wa-message.js). */
export function stanzaAttributes(envelope: Envelope): Record<string, string | number | undefined> {
  const { id, sender, group, fromPhoneTo, addressing, type, edit, timestamp, overrides } = envelope;
  const shared = { id, t: timestamp, type, edit, notify: sender.pushName || undefined };
  const alternative = (prefix: string, person: Person): Record<string, string> => ({
    [`${prefix}_${addressing === "lid" ? "pn" : "lid"}`]: otherAddressOf(person, addressing),
  });
  const address = addressOf(sender, addressing);
  if (group)
    return {
      from: groupJid(group.id),
      participant: address,
      ...alternative("participant", sender),
      addressing_mode: addressing,
      ...shared,
      ...overrides,
    };
  if (fromPhoneTo)
    return {
      from: address,
      recipient: addressOf(fromPhoneTo, addressing),
      ...alternative("peer_recipient", fromPhoneTo),
      addressing_mode: addressing,
      ...shared,
      ...overrides,
    };
  return {
    from: address,
    ...alternative("sender", sender),
    addressing_mode: addressing,
    ...shared,
    ...overrides,
  };
}
