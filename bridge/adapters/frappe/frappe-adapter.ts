/** A Frappe site as a CRM, over its REST. Puts the parts together; the rules are in them. */
import { z } from "zod";
import type { Batch, CrmAdapter, Position, WriteResult } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { CrmMisconfigured } from "../../errors.ts";
import { chatLane, createLanes, type Lanes } from "../../lanes.ts";
import type { Log } from "../../log.ts";
import type { Contact, Message } from "../../records.ts";
import { createAliases, isHidden } from "./aliases.ts";
import { createAuthors } from "./author-links.ts";
import { createChanges } from "./changes.ts";
import { createChats } from "./chats.ts";
import { checkSite } from "./check-site.ts";
import { createClients } from "./clients.ts";
import { createContacts } from "./contacts.ts";
import { createConversations } from "./conversations.ts";
import { createFigures } from "./figures.ts";
import { createLeftovers } from "./leftovers.ts";
import { createMediaCopy } from "./media-copy.ts";
import { createMerges, type Merge } from "./merge.ts";
import { createMessages } from "./messages.ts";
import { prepareSite } from "./prepare.ts";
import { createRelinks } from "./relink.ts";
import { createSessions } from "./sessions.ts";
import { MESSAGE, siteMemory, type Site } from "./site.ts";
import { AnswerLost, expecting } from "./site-answer.ts";
import { createSiteCalls, type SiteCalls } from "./site-calls.ts";
import { createSiteTables } from "./site-tables.ts";
import { siteTime, type SiteTime } from "./site-time.ts";
import { createWrites } from "./write-many.ts";

export interface FrappeConfig {
  url: string;
  apiKey: string;
  apiSecret: string;
  /** The site's own unless given. */
  timeZone?: string | undefined;
  copyMedia?: boolean | undefined;
  timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 10_000;

export function openFrappeAdapter(
  { url, apiKey, apiSecret, timeZone, copyMedia = false, timeoutMs = TIMEOUT_MS }: FrappeConfig,
  { clock, log }: { clock: Clock; log: Log },
): CrmAdapter {
  const calls = createSiteCalls({ url, apiKey, apiSecret, clock, timeoutMs });
  const tables = createSiteTables({ calls, log, clock });
  const writes = createWrites(tables, clock);
  const lanes = createLanes();
  const memory = siteMemory();
  const site: Site = { tables, writes, time: timeOf(calls, timeZone), lanes, clock, log, ...memory };
  const sessions = createSessions(site);
  const authors = createAuthors(site, sessions);
  const contacts = createContacts(site, { sessions, authors });
  const conversations = createConversations(site, contacts);
  const media = copyMedia ? createMediaCopy({ ...site, calls }) : null;
  const chats = createChats(site, { sessions, contacts, conversations });
  const messages = createMessages(site, { sessions, contacts, authors, conversations, media });
  const changes = createChanges(site, { sessions, messages });
  const aliases = createAliases(tables);
  const relinks = createRelinks(site);
  const merges = createMerges(site, { sessions, authors, conversations, aliases, relinks });
  const leftovers = createLeftovers(site, { sessions, contacts, conversations, aliases, relinks });
  const figures = createFigures(site, sessions);

  /**
   * Every write begins by looking up what is there, so it may be done twice: once more when a connection broke under an
   * answer, and once more when a name that was remembered turns out to be gone.
   */
  const surely = async <R extends WriteResult | WriteResult[]>(work: () => Promise<R>): Promise<R> => {
    const result = await work().catch((error: unknown) => {
      if (error instanceof AnswerLost && !error.timedOut) return work();
      throw error;
    });
    if (![result].flat().some(({ error }) => error?.startsWith("LinkValidationError") === true))
      return result;
    memory.names.sessions.clear();
    memory.names.contacts.clear();
    memory.names.chats.clear();
    return work();
  };

  /** One chat after the other, each in its lane; results in the order of the items. */
  const byChat = async <T extends { chatId: string }>(
    sessionId: string,
    items: T[],
    write: (items: T[], chatId: string) => Promise<WriteResult[]>,
  ): Promise<WriteResult[]> => {
    const groups = new Map<string, { item: T; index: number }[]>();
    items.forEach((item, index) =>
      groups.set(item.chatId, [...(groups.get(item.chatId) ?? []), { item, index }]),
    );
    const results: WriteResult[] = [];
    for (const [chatId, group] of groups) {
      const work = () =>
        surely(() =>
          write(
            group.map(({ item }) => item),
            chatId,
          ),
        );
      const written = await lanes.run(chatLane(sessionId, chatId), work);
      group.forEach(({ index }, n) => {
        results[index] = written[n] ?? { outcome: "rejected", error: "not written" };
      });
    }
    return results;
  };

  const mergeAll = async (order: Merge): Promise<WriteResult> => {
    const both = [order.from, order.into].map((chatId) => chatLane(order.sessionId, chatId));
    // First, while contact or chat still say that there is something to do.
    const joined = await surely(() => leftovers.join(order));
    if (joined.outcome === "rejected" || joined.outcome === "missing") return joined;
    const moved = await inLanes(lanes, both, () => surely(() => merges.apply(order)));
    if (moved.outcome !== "rejected") aliases.merged(order.sessionId, order.from, order.into);
    return moved.outcome === "unchanged" ? joined : moved;
  };
  const merge = async (order: Merge): Promise<WriteResult> => {
    const { sessionId, from, into } = order;
    if (from === into || aliases.isMerged(sessionId, from, into)) return { outcome: "unchanged" };
    const key = ["merge", sessionId, from, into].join("|");
    return writes.orBlamed(MESSAGE, key, () => mergeAll(order));
  };

  /**
   * The event that told whose hidden id a contact is may have been missed: those that still have records move now. Comes
   * back with those that moved, and those that the site did not let move.
   */
  const mergeNamed = async (
    sessionId: string,
    contactsTold: Contact[],
    position: Position,
  ): Promise<{ moved: Set<string>; stuck: Set<string> }> => {
    const named = contactsTold.filter(
      ({ id, lid }) => lid !== null && lid !== id && isHidden(lid) && !aliases.isSettled(sessionId, lid, id),
    );
    const known = await merges.known(
      sessionId,
      named.flatMap(({ lid }) => lid ?? []),
    );
    const [moved, stuck] = [new Set<string>(), new Set<string>()];
    for (const { id, lid } of named) {
      if (lid === null) continue;
      if (!known.has(lid)) {
        aliases.settle(sessionId, lid, id);
        continue;
      }
      const { outcome } = await merge({ sessionId, from: lid, into: id, position });
      if (outcome === "updated") moved.add(id);
      else if (outcome === "rejected") stuck.add(id);
    }
    return { moved, stuck };
  };

  const upsertContacts = async ({ sessionId, position, items }: Batch<Contact>): Promise<WriteResult[]> => {
    const resolve = await aliases.resolver(sessionId);
    const told = items.map((contact) => {
      const id = resolve(contact.id);
      return id === contact.id ? contact : { ...contact, id, lid: contact.id };
    });
    const { moved, stuck } = await mergeNamed(sessionId, told, position);
    // A contact that names its hidden id counts as merged with it.
    const free = told.map((contact) => (stuck.has(contact.id) ? { ...contact, lid: null } : contact));
    const results = await surely(() => contacts.upsert({ sessionId, position, items: free }));
    return results.map((result, index) =>
      moved.has(told[index]?.id ?? "") && result.outcome !== "rejected"
        ? { ...result, outcome: "updated" }
        : result,
    );
  };

  return {
    name: "frappe",
    check: () => checkSite(calls),
    prepare: (tell = () => undefined) => prepareSite({ calls, tables, log, tell }),
    close: () => {
      calls.close();
      return Promise.resolve();
    },
    upsertSession: (session, position) => surely(() => sessions.upsert(session, position)),
    noteSession: async (sessionId, notes) => {
      const sentAndReceived = await figures.messages(sessionId);
      return surely(() => sessions.note(sessionId, notes, sentAndReceived));
    },
    upsertContacts: (batch) => lanes.run(`${batch.sessionId}|contacts`, () => upsertContacts(batch)),
    upsertChats: async ({ sessionId, position, items }) => {
      const resolve = await aliases.resolver(sessionId);
      const told = items.map((chat) => ({ ...chat, chatId: resolve(chat.chatId) }));
      return inLanes(
        lanes,
        told.map(({ chatId }) => chatLane(sessionId, chatId)),
        () => surely(() => chats.upsert({ sessionId, position, items: told })),
      );
    },
    upsertMessages: async ({ sessionId, position, items }) => {
      const resolve = await aliases.resolver(sessionId);
      const told = items.map((message) => resolved(message, resolve));
      return byChat(sessionId, told, (group, chatId) =>
        messages.upsert({ sessionId, position, chatId, resolve, items: group }),
      );
    },
    changeMessages: async ({ sessionId, position, items }) => {
      const resolve = await aliases.resolver(sessionId);
      const told = items.map((change) => ({ ...change, chatId: resolve(change.chatId) }));
      return byChat(sessionId, told, (group, chatId) =>
        changes.apply({ sessionId, position, items: group }, chatId, resolve),
      );
    },
    mergeContact: merge,
    totals: figures.totals,
    chatDigests: figures.digests,
    sessionIdOf: sessions.idOf,
    clients: createClients(site),
  };
}

const resolved = (message: Message, resolve: (id: string) => string): Message => ({
  ...message,
  chatId: resolve(message.chatId),
  from: resolve(message.from),
  to: resolve(message.to),
  participant: message.participant === null ? null : resolve(message.participant),
  reactions: message.reactions.map((reaction) => ({ ...reaction, from: resolve(reaction.from) })),
});

/** Holds several lanes at once; always taken in the same order, so that two holders never wait for each other. */
function inLanes<T>(lanes: Lanes, names: string[], work: () => Promise<T>): Promise<T> {
  const [first, ...rest] = [...new Set(names)].sort();
  return first === undefined ? work() : lanes.run(first, () => inLanes(lanes, rest, work));
}

const settings = z.object({ data: z.object({ time_zone: z.string() }) });
const zoneOfClient = z.object({ message: z.object({ time_zone: z.string() }) });

/** Asked once; again after a failure. */
function timeOf(calls: SiteCalls, configured: string | undefined): () => Promise<SiteTime> {
  let known: Promise<SiteTime> | null =
    configured === undefined ? null : Promise.resolve(siteTime(configured));
  const ask = async (): Promise<string> => {
    try {
      const answer = await calls.ask("/api/resource/System%20Settings/System%20Settings", {
        fields: '["time_zone"]',
      });
      return expecting(settings, answer).data.time_zone;
    } catch (error) {
      // The settings are for administrators; any user may ask this one.
      if (!(error instanceof CrmMisconfigured)) throw error;
      return expecting(zoneOfClient, await calls.ask("/api/method/frappe.client.get_time_zone")).message
        .time_zone;
    }
  };
  return () => {
    known ??= ask()
      .then(siteTime)
      .catch((error: unknown) => {
        known = null;
        throw error;
      });
    return known;
  };
}
