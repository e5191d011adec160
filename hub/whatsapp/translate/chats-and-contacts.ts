/** Chats and contacts as Baileys' events and the history give them. */
import type { ChatChange, ContactChange, Fact } from "../../core/facts.ts";
import { isGroupJid, type Jid } from "../../core/jid.ts";
import { addressOrNull, STATUS_BROADCAST, type Me } from "./addresses.ts";
import { belongTogether, lidPair } from "./facts-of-message.ts";
import { proto } from "../baileys.ts";
import { nameOrNull, number } from "./fields.ts";

const NOTHING_OLDER: number =
  proto.Conversation.EndOfHistoryTransferType.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY;

/** What a contact event may hold; Baileys' own type promises more than arrives. */
export interface RawContact {
  id?: string | null;
  lid?: string | null;
  phoneNumber?: string | null;
  name?: string | null;
  notify?: string | null;
  verifiedName?: string | null;
  imgUrl?: string | null;
}

/** `fromAddressBook`: names come from the phone's contacts, not from what people call themselves. */
export function factsOfContact(
  raw: RawContact,
  me: Me,
  { live, fromAddressBook }: { live: boolean; fromAddressBook: boolean },
): Fact[] {
  const jid = addressOrNull(raw.id);
  if (jid === null || jid === STATUS_BROADCAST) return [];
  const name = nameOrNull(raw.name);
  const facts = pictureFacts(jid, raw.imgUrl, live);
  if (isGroupJid(jid))
    return name === null ? facts : [...facts, { kind: "group", jid, subject: name, by: null, live }];
  const pair = otherAddress(jid, raw);
  if (pair !== null && belongTogether(pair, me)) facts.push({ kind: "lid", ...pair });
  const change = contactChange(raw, fromAddressBook);
  if (Object.keys(change).length > 0) facts.push({ kind: "contact", jid, change, live });
  return facts;
}

function otherAddress(jid: Jid, raw: RawContact): { lid: Jid; phone: Jid } | null {
  for (const other of [addressOrNull(raw.lid), addressOrNull(raw.phoneNumber)]) {
    const pair = other === null ? null : lidPair(jid, other);
    if (pair !== null) return pair;
  }
  return null;
}

function contactChange(raw: RawContact, fromAddressBook: boolean): ContactChange {
  const change: ContactChange = {};
  const name = nameOrNull(raw.name);
  if (name !== null) change.name = name;
  if (fromAddressBook) change.isMyContact = name !== null;
  const pushName = nameOrNull(raw.notify);
  if (pushName !== null) change.pushName = pushName;
  const verifiedName = nameOrNull(raw.verifiedName);
  if (verifiedName !== null) {
    change.verifiedName = verifiedName;
    change.isBusiness = true;
  }
  return change;
}

/** Only that a picture changed is told, or that there is none any more. */
function pictureFacts(jid: Jid, imgUrl: string | null | undefined, live: boolean): Fact[] {
  if (!imgUrl) return [];
  return imgUrl === "removed"
    ? [{ kind: "contact", jid, change: { pictureToken: null }, live }]
    : [{ kind: "profile", jid, lookedUpAt: null }];
}

export interface RawChat {
  id?: string | null;
  name?: string | null;
  unreadCount?: number | null;
  archived?: boolean | null;
  pinned?: unknown;
  muteEndTime?: unknown;
  readOnly?: boolean | null;
  conversationTimestamp?: unknown;
  endOfHistoryTransferType?: number | null;
}

/** An update of a chat by another device of ours. Counts that Baileys adds up itself are not taken. */
export function factsOfChatUpdate(raw: RawChat, live: boolean): Fact[] {
  const jid = addressOrNull(raw.id);
  if (jid === null || jid === STATUS_BROADCAST) return [];
  const facts: Fact[] = [];
  const change: ChatChange = {};
  if (typeof raw.archived === "boolean") change.archived = raw.archived;
  if (raw.pinned !== undefined) change.pinned = number(raw.pinned) > 0;
  if (raw.muteEndTime !== undefined) change.muteExpiration = muteSeconds(raw.muteEndTime);
  if (typeof raw.readOnly === "boolean") change.isReadOnly = raw.readOnly;
  if (Object.keys(change).length > 0) facts.push({ kind: "chat", jid, change, live });
  if (raw.unreadCount === 0) facts.push({ kind: "chat-read", jid });
  return facts;
}

/** A conversation of the history. */
export function factsOfHistoryChat(raw: RawChat): Fact[] {
  const jid = addressOrNull(raw.id);
  if (jid === null || jid === STATUS_BROADCAST) return [];
  const change: ChatChange = {
    unreadCount: Math.max(0, number(raw.unreadCount)),
    archived: raw.archived === true,
    pinned: number(raw.pinned) > 0,
    muteExpiration: muteSeconds(raw.muteEndTime),
    isReadOnly: raw.readOnly === true,
  };
  const name = nameOrNull(raw.name);
  if (name !== null) change.name = name;
  const last = number(raw.conversationTimestamp);
  if (last > 0) change.lastMessageAt = last;
  if (raw.endOfHistoryTransferType !== null && raw.endOfHistoryTransferType !== undefined)
    change.hasOlder = raw.endOfHistoryTransferType !== NOTHING_OLDER;
  return [{ kind: "chat", jid, change, live: false }];
}

/** WhatsApp says milliseconds, -1 for ever, 0 or nothing for not muted. */
function muteSeconds(end: unknown): number {
  const value = number(end);
  if (value < 0) return -1;
  return value > 1e11 ? Math.floor(value / 1000) : value;
}
