/**
 * One session, hub against CRM: what the CRM should have and has not is brought, and each record that had to be written
 * is a difference. What lies beyond the limits of a sync is no difference, as long as it never was in the CRM.
 */
import type { ChatDigest, CrmAdapter } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import { CrmMisconfigured, CrmUnavailable } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import type { Chat } from "../records.ts";
import type { Comparison, Tally } from "../state/bridge-state.ts";
import type { SyncLimits } from "./budget.ts";
import {
  afterBringing,
  earlier,
  everStored,
  lacksMore,
  questionOf,
  rangeOf,
  standingOf,
  type ChatSides,
  type Standing,
} from "./compare-chat.ts";
import { readPages } from "./read-pages.ts";
import { createShortfall } from "./shortfall.ts";
import { addTally, NOTHING } from "./tally.ts";
import type { RecordWriter } from "./write-records.ts";

interface ComparisonParts {
  hub: HubClient;
  adapter: CrmAdapter;
  writer: RecordWriter;
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
  const { hub, adapter, writer, limits, clock, log, isStopped } = parts;
  const shortfall = createShortfall(limits);
  /** Chats that were read although the CRM has as many or more: how both stood then. They are read again when that changes. */
  const readAt = new Map<string, Map<string, Standing>>();
  /** Per session and chat, the oldest message the CRM had when it was last looked at. */
  const oldest = new Map<string, Map<string, number>>();

  async function compareContacts(sessionId: string, found: Found): Promise<void> {
    const pages = readPages({ read: (page) => hub.contacts(sessionId, page), limit: limits.contacts });
    for await (const { items, position } of pages)
      found.contacts = addTally(found.contacts, await writer.contacts({ sessionId, items, position }));
  }

  async function range(sessionId: string, chatId: string, since: number, held: number): Promise<Tally> {
    const { total } = await hub.messages(sessionId, chatId, { order: "asc", since, limit: 1 });
    // Fewer in the hub: what it does not have any more cannot be read from it.
    if (total <= held) return NOTHING;
    const read = (page: { limit: number; cursor: string | undefined }) =>
      hub.messages(sessionId, chatId, { ...page, order: "asc", since });
    let tally = NOTHING;
    for await (const { items, position } of readPages({ read, limit: ALL }))
      tally = addTally(tally, await writer.messages({ sessionId, chatId, items, position }));
    return tally;
  }

  async function newest(sessionId: string, chatId: string): Promise<Tally> {
    const pages = readPages({
      read: (page) => hub.messages(sessionId, chatId, page),
      limit: limits.messagesPerChat,
    });
    let tally = NOTHING;
    for await (const { items, position } of pages)
      tally = addTally(
        tally,
        await writer.messages({ sessionId, chatId, items: items.toReversed(), position }),
      );
    return tally;
  }

  async function compareChat(
    sessionId: string,
    { chat, rank, held, oldestBefore }: ChatSides & { chat: Chat },
  ): Promise<Tally> {
    const { chatId } = chat;
    const question = questionOf({ chat, rank, held, oldestBefore }, limits);
    if (question.ask === "same") return NOTHING;
    if (question.ask === "range") return range(sessionId, chatId, question.since, held?.messages ?? 0);
    const standing = standingOf({ chat, held });
    const before = readAt.get(sessionId)?.get(chatId);
    if (standing !== null && before === standing) return NOTHING;
    const brought = await newest(sessionId, chatId);
    const lacks = lacksMore(before, standing);
    const tally = addTally(brought, await olderHoles(sessionId, { chatId, held, oldestBefore, lacks }));
    if (standing !== null) remember(sessionId, chatId, afterBringing(standing, tally.created));
    return tally;
  }

  function remember(sessionId: string, chatId: string, standing: Standing): void {
    readAt.set(sessionId, (readAt.get(sessionId) ?? new Map<string, Standing>()).set(chatId, standing));
  }

  async function olderHoles(
    sessionId: string,
    {
      chatId,
      held,
      oldestBefore,
      lacks,
    }: Pick<ChatSides, "held" | "oldestBefore"> & { chatId: string; lacks: boolean },
  ): Promise<Tally> {
    // There may be holes before those as well.
    const [now] = held === undefined ? [] : await adapter.chatDigests(sessionId, [chatId]);
    const before = rangeOf(now, oldestBefore);
    if (before.ask !== "range") return NOTHING;
    // Something is missing, although by their number all are there: what the hub let go stands in for it.
    return range(sessionId, chatId, before.since, lacks ? 0 : (now?.messages ?? 0));
  }

  /** Chats of the hub with what the CRM holds of each, newest first. */
  async function* sides(sessionId: string, missingChats: number, found: Found) {
    const before = oldest.get(sessionId) ?? new Map<string, number>();
    const now = new Map<string, number>();
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
        const held = digestOf.get(chat.chatId);
        const oldestBefore = before.get(chat.chatId);
        const known = earlier(held?.oldest ?? undefined, oldestBefore);
        if (known !== undefined) now.set(chat.chatId, known);
        yield { chat, rank, held, oldestBefore };
        rank += 1;
      }
    }
    oldest.set(sessionId, now);
  }

  async function compareChats(sessionId: string, missingChats: number, found: Found): Promise<void> {
    let failedInARow = 0;
    for await (const both of sides(sessionId, missingChats, found)) {
      if (isStopped()) return;
      try {
        const tally = await compareChat(sessionId, both);
        found.messages = addTally(found.messages, tally);
        noteExtra(found.extra, both, tally.created);
        failedInARow = 0;
      } catch (cause) {
        failedInARow += 1;
        const isCrm = cause instanceof CrmUnavailable || cause instanceof CrmMisconfigured;
        if (isCrm || failedInARow >= GIVE_UP_AFTER) throw cause;
        log.warn(
          { sessionId, conversationId: both.chat.conversationId, err: cause },
          "reconcile.chat_failed",
        );
      }
    }
  }

  const compare = async (sessionId: string): Promise<Comparison> => {
    const extra = { chats: 0, messages: 0, inChats: [] };
    const found: Found = { contacts: NOTHING, chats: NOTHING, messages: NOTHING, extra };
    const there = {
      contacts: (await hub.contacts(sessionId, { limit: 1 })).total,
      chats: (await hub.chats(sessionId, { limit: 1 })).total,
    };
    const held = await adapter.totals(sessionId);
    found.extra.chats = Math.max(0, held.chats - there.chats);
    const missing = shortfall.missing(sessionId, there, held);
    if (missing.contacts > 0) await compareContacts(sessionId, found);
    await compareChats(sessionId, missing.chats, found);
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
      readAt.delete(sessionId);
      oldest.delete(sessionId);
      shortfall.forget(sessionId);
    },
  };
}

/** `brought`: what the CRM lacked of the hub's while it had as many or more of its own. */
function noteExtra(
  extra: Comparison["extra"],
  { chat, held }: { chat: Chat; held: ChatDigest | undefined },
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
