/**
 * One session, hub against CRM: what the CRM should have and has not is brought, and each record that had to be written
 * is a difference. What lies beyond the limits of a sync is no difference, as long as it never was in the CRM.
 */
import type { ChatDigest, CrmAdapter } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import { CrmMisconfigured, CrmUnavailable, failureFacts } from "../errors.ts";
import type { FailedItems } from "../failed-items.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import type { Comparison, Tally } from "../state/bridge-state.ts";
import type { SyncLimits } from "./budget.ts";
import { earlier, everStored } from "./compare-chat.ts";
import { createMessageComparison, type ChatMemory, type ComparedChat } from "./compare-messages.ts";
import { readPages } from "./read-pages.ts";
import { refusedOf, type Refused } from "./refused.ts";
import { createShortfall } from "./shortfall.ts";
import { addTally, NOTHING } from "./tally.ts";
import type { RecordWriter } from "./write-records.ts";

interface ComparisonParts {
  hub: HubClient;
  adapter: CrmAdapter;
  writer: RecordWriter;
  failed: Pick<FailedItems, "list">;
  limits: SyncLimits;
  clock: Clock;
  log: Log;
  isStopped: () => boolean;
}

interface Found {
  contacts: Tally;
  chats: Tally;
  messages: Tally;
  extra: Comparison["extra"];
}

interface SessionChat extends ChatMemory {
  /** Oldest message the CRM ever had here, when it was looked at. */
  oldest?: number | undefined;
}

/** One chat may be bad; several in a row mean that the hub is. */
const GIVE_UP_AFTER = 3;
/** Of the chats in which the CRM has more, so many are named. */
const NAMED = 20;
const ALL = Number.MAX_SAFE_INTEGER;

export interface SessionComparison {
  /** @throws CrmUnavailable, CrmMisconfigured, HubUnavailable */
  compare(sessionId: string): Promise<Comparison>;
  /** The session is gone: another one of its name is another matter. */
  forget(sessionId: string): void;
}

export function createSessionComparison(parts: ComparisonParts): SessionComparison {
  const { hub, adapter, writer, failed, limits, clock, log, isStopped } = parts;
  const shortfall = createShortfall(limits);
  const compareMessages = createMessageComparison(parts);
  /** Per session, by chat. */
  const memories = new Map<string, Map<string, SessionChat>>();

  async function compareContacts(sessionId: string, found: Found): Promise<void> {
    const pages = readPages({ read: (page) => hub.contacts(sessionId, page), limit: limits.contacts });
    for await (const { items, position } of pages) {
      if (isStopped()) return;
      found.contacts = addTally(found.contacts, await writer.contacts({ sessionId, items, position }));
    }
  }

  /** Chats of the hub with what the CRM holds of each, newest first. */
  async function* sides(
    sessionId: string,
    missingChats: number,
    { found, refused }: { found: Found; refused: Refused },
  ): AsyncGenerator<{ compared: ComparedChat; memory: ChatMemory }> {
    const chats = memories.get(sessionId) ?? new Map<string, SessionChat>();
    memories.set(sessionId, chats);
    const seen = new Set<string>();
    let rank = 0;
    for await (const { items, position } of readPages({
      read: (page) => hub.chats(sessionId, page),
      limit: ALL,
    })) {
      const within = missingChats > 0 ? items.slice(0, Math.max(0, limits.chats - rank)) : [];
      if (within.length > 0)
        found.chats = addTally(found.chats, await writer.chats({ sessionId, items: within, position }));
      const digests = await adapter.chatDigests(
        sessionId,
        items.map(({ chatId }) => chatId),
      );
      const digestOf = new Map<string, ChatDigest>(digests.map((digest) => [digest.chatId, digest]));
      for (const chat of items) {
        const { chatId } = chat;
        const held = digestOf.get(chatId);
        const memory = chats.get(chatId) ?? {};
        const oldestBefore = memory.oldest;
        memory.oldest = earlier(held?.oldest ?? undefined, oldestBefore);
        chats.set(chatId, memory);
        seen.add(chatId);
        const compared = { sessionId, chat, rank, held, oldestBefore, refused: refused.messagesIn(chatId) };
        yield { compared, memory };
        rank += 1;
      }
    }
    for (const chatId of chats.keys()) if (!seen.has(chatId)) chats.delete(chatId);
  }

  async function compareChats(
    sessionId: string,
    missingChats: number,
    known: { found: Found; refused: Refused },
  ): Promise<void> {
    const { found } = known;
    let failedInARow = 0;
    for await (const { compared, memory } of sides(sessionId, missingChats, known)) {
      if (isStopped()) return;
      try {
        const tally = await compareMessages(compared, memory);
        found.messages = addTally(found.messages, tally);
        noteExtra(found.extra, compared, tally.created);
        failedInARow = 0;
      } catch (cause) {
        failedInARow += 1;
        const isCrm = cause instanceof CrmUnavailable || cause instanceof CrmMisconfigured;
        if (isCrm || failedInARow >= GIVE_UP_AFTER) throw cause;
        const { conversationId } = compared.chat;
        log.warn({ sessionId, conversationId, ...failureFacts(cause) }, "reconcile.chat_failed");
      }
    }
  }

  const compare = async (sessionId: string): Promise<Comparison> => {
    const extra = { chats: 0, messages: 0, inChats: [] };
    const found: Found = { contacts: NOTHING, chats: NOTHING, messages: NOTHING, extra };
    const { totals: there } = await hub.session(sessionId);
    const held = await adapter.totals(sessionId);
    found.extra.chats = Math.max(0, held.chats - there.chats);
    const missing = shortfall.missing(sessionId, there, held);
    const refused = refusedOf(failed.list(sessionId));
    if (missing.contacts > 0) await compareContacts(sessionId, found);
    else found.contacts = { ...NOTHING, errors: refused.contacts };
    if (missing.chats === 0) found.chats = { ...NOTHING, errors: refused.chats };
    await compareChats(sessionId, missing.chats, { found, refused });
    const comparison = comparisonOf(found, clock.now());
    if (missing.contacts + missing.chats + comparison.repaired > 0) {
      const totals = await adapter.totals(sessionId);
      if (missing.contacts + missing.chats > 0) shortfall.accept(sessionId, there, totals);
      if (comparison.repaired > 0) await adapter.noteSession(sessionId, { totals, lastSync: null });
    }
    return comparison;
  };

  return {
    compare,
    forget: (sessionId) => {
      memories.delete(sessionId);
      shortfall.forget(sessionId);
    },
  };
}

/** `brought`: what the CRM lacked of the hub's while it had as many or more of its own. */
function noteExtra(
  extra: Comparison["extra"],
  { chat, held }: Pick<ComparedChat, "chat" | "held">,
  brought: number,
): void {
  const messages = (held?.messages ?? 0) + brought - everStored(chat);
  if (messages <= 0) return;
  extra.messages += messages;
  if (extra.inChats.length < NAMED) extra.inChats.push({ chatId: chat.chatId, messages });
}

function comparisonOf({ contacts, chats, messages, extra }: Found, now: Date): Comparison {
  const repairedOf = ({ created, updated }: Tally): number => created + updated;
  const foundIn = (tally: Tally): number => repairedOf(tally) + tally.errors;
  return {
    at: now.toISOString(),
    contacts: foundIn(contacts),
    chats: foundIn(chats),
    messages: foundIn(messages),
    repaired: repairedOf(contacts) + repairedOf(chats) + repairedOf(messages),
    extra,
  };
}
