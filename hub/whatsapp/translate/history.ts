/** A chunk of history → facts, in the order the store wants them: who people are, chats, then messages from old to new. */
import type { Fact } from "../../core/facts.ts";
import type { Message } from "../../core/message.ts";
import { proto } from "../baileys.ts";
import { addressOrNull, chatOf, type Me } from "./addresses.ts";
import { factsOfContact, factsOfHistoryChat, type RawChat, type RawContact } from "./chats-and-contacts.ts";
import { belongTogether, factsOfMessage, lidPair, type LiveMessage } from "./facts-of-message.ts";
import { clip, number } from "./fields.ts";
import { toMessage } from "./message.ts";
import { unwrap } from "./unwrap.ts";

export interface HistoryChunk {
  chats: RawChat[];
  contacts: RawContact[];
  messages: HistoryMessage[];
  lidPnMappings?: { lid: string; pn: string }[] | undefined;
  syncType?: number | null | undefined;
  progress?: number | null | undefined;
}

export type HistoryMessage = LiveMessage & {
  reactions?: proto.IReaction[] | null;
  messageStubType?: number | null;
};

export function factsOfHistory(
  sessionId: string,
  chunk: HistoryChunk,
  { me, oldest }: { me: Me; oldest: number },
): Fact[] {
  return [
    ...mappings(chunk, me),
    ...chunk.contacts.flatMap((contact) =>
      factsOfContact(contact, me, { live: false, fromAddressBook: false }),
    ),
    ...chunk.chats.flatMap(factsOfHistoryChat),
    ...messages(sessionId, chunk, me, oldest),
  ];
}

function mappings({ lidPnMappings = [] }: HistoryChunk, me: Me): Fact[] {
  return lidPnMappings.flatMap(({ lid, pn }): Fact[] => {
    const one = addressOrNull(lid);
    const other = addressOrNull(pn);
    const pair = one === null || other === null ? null : lidPair(one, other);
    return pair !== null && belongTogether(pair, me) ? [{ kind: "lid", ...pair }] : [];
  });
}

function messages(sessionId: string, { messages: raw, chats }: HistoryChunk, me: Me, oldest: number): Fact[] {
  const unread = new Map<string, number>();
  for (const { id, unreadCount } of chats) {
    const jid = addressOrNull(id);
    if (jid !== null) unread.set(jid, Math.max(0, number(unreadCount)));
  }
  const facts: Fact[] = [];
  // Newest first, to know which of a chat's messages are the unread ones.
  const newestFirst = raw
    .filter((message) => number(message.messageTimestamp) >= oldest)
    .sort((a, b) => number(b.messageTimestamp) - number(a.messageTimestamp));
  for (const message of newestFirst) facts.push(...oneOf(sessionId, message, me, unread).reverse());
  return facts.reverse();
}

function oneOf(sessionId: string, raw: HistoryMessage, me: Me, unread: Map<string, number>): Fact[] {
  const chat = chatOf(raw.key);
  if (chat === null) return [];
  const inner = unwrap(raw.message);
  if (inner?.protocolMessage ?? inner?.reactionMessage) return factsOfMessage(sessionId, raw, me, false);
  const waiting = unread.get(chat) ?? 0;
  const isUnread = raw.key.fromMe !== true && waiting > 0;
  const message = toMessage(sessionId, raw, isUnread ? "delivered" : "read");
  if (message === null) return [];
  if (isUnread) unread.set(chat, waiting - 1);
  return [{ kind: "message", message, live: false }, ...reactions(raw, message, me)];
}

/** In the history, reactions are members of the message they belong to. */
function reactions(
  raw: HistoryMessage,
  { chatId, id, fromMe: isOurs, participant }: Message,
  me: Me,
): Fact[] {
  const target = { chatId, id, fromMe: isOurs, participant };
  return (raw.reactions ?? []).flatMap((reaction): Fact[] => {
    const key = reaction.key;
    if (!reaction.text || !key) return [];
    const fromMe = key.fromMe === true;
    return [
      {
        kind: "reaction",
        target,
        from: fromMe ? me.phone : (addressOrNull(key.participant) ?? chatId),
        fromMe,
        emoji: clip(reaction.text, 64),
        atMs: number(reaction.senderTimestampMs) || number(raw.messageTimestamp) * 1000,
        live: false,
      },
    ];
  });
}

const { RECENT, FULL, ON_DEMAND } = proto.HistorySync.HistorySyncType;

/** Kinds whose messages make up the import that follows linking; the others bring names and settings. */
export const isImport = (syncType: number | null | undefined): boolean =>
  syncType === RECENT || syncType === FULL;
/** Sent because somebody asked for older messages. */
export const isOnDemand = (syncType: number | null | undefined): boolean => syncType === ON_DEMAND;

/** WhatsApp's name of a kind of history, for people. */
export const syncTypeName = (syncType: number | null | undefined): string =>
  proto.HistorySync.HistorySyncType[syncType ?? -1]?.toLowerCase() ?? "unknown";
