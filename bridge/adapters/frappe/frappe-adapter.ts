/** A Frappe site as a CRM, over its REST. Puts the parts together; the rules are in them. */
import { z } from "zod";
import type { CrmAdapter, WriteResult } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { CrmMisconfigured } from "../../errors.ts";
import { createLanes } from "../../lanes.ts";
import type { Log } from "../../log.ts";
import type { Message } from "../../records.ts";
import { createAliases } from "./aliases.ts";
import { createAuthors } from "./author-links.ts";
import { createByNumber } from "./by-number.ts";
import { createChanges } from "./changes.ts";
import { createChatLanes } from "./chat-lanes.ts";
import { createChats } from "./chats.ts";
import { checkSite } from "./check-site.ts";
import { createClients } from "./clients.ts";
import { createContacts } from "./contacts.ts";
import { createConversations } from "./conversations.ts";
import { createFigures } from "./figures.ts";
import { createAnswers } from "./late-answers.ts";
import { createLeftovers } from "./leftovers.ts";
import { createMediaCopy } from "./media-copy.ts";
import { createMerges } from "./merge.ts";
import { createMessages } from "./messages.ts";
import { createPeople } from "./people.ts";
import { prepareSite } from "./prepare.ts";
import { createRelinks } from "./relink.ts";
import { createSessions } from "./sessions.ts";
import { siteMemory, type Site } from "./site.ts";
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
  const byNumber = createByNumber(site);
  const authors = createAuthors(site, { sessions, byNumber });
  const answers = createAnswers(site);
  const contacts = createContacts(site, { sessions, authors });
  const conversations = createConversations(site, contacts);
  const media = copyMedia ? createMediaCopy({ ...site, calls }) : null;
  const chats = createChats(site, { sessions, contacts, conversations });
  const messages = createMessages(site, {
    ...{ sessions, contacts, authors, answers, conversations, media },
  });
  const changes = createChanges(site, { sessions, messages });
  const aliases = createAliases(site);
  const chatLanes = createChatLanes(lanes, aliases);
  const relinks = createRelinks(site);
  const merges = createMerges(site, { sessions, authors, answers, conversations, aliases, relinks });
  const leftovers = createLeftovers(site, {
    ...{ sessions, contacts, conversations, aliases, relinks, authors, byNumber },
  });
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

  const people = createPeople(site, { contacts, authors, merges, leftovers, aliases, surely });

  /** One chat after the other, each in its lane; results in the order of the items. */
  const byChat = async <T extends { chatId: string }>(
    sessionId: string,
    items: T[],
    write: (items: T[], chatId: string, resolve: (id: string) => string) => Promise<WriteResult[]>,
  ): Promise<WriteResult[]> => {
    const idOf = await aliases.resolver(sessionId);
    const groups = new Map<string, { item: T; index: number }[]>();
    items.forEach((item, index) => {
      const chatId = idOf(item.chatId);
      groups.set(chatId, [...(groups.get(chatId) ?? []), { item, index }]);
    });
    const results: WriteResult[] = [];
    for (const [chatId, group] of groups) {
      const told = group.map(({ item }) => item);
      const written = await chatLanes.run(sessionId, [chatId], (resolve) =>
        surely(() => write(told, resolve(chatId), resolve)),
      );
      group.forEach(({ index }, n) => {
        results[index] = written[n] ?? { outcome: "rejected", error: "not written" };
      });
    }
    return results;
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
    upsertContacts: people.upsert,
    upsertChats: ({ sessionId, position, items }) =>
      chatLanes.run(
        sessionId,
        items.map(({ chatId }) => chatId),
        (resolve) => {
          const told = items.map((chat) => ({ ...chat, chatId: resolve(chat.chatId) }));
          return surely(() => chats.upsert({ sessionId, position, items: told }));
        },
      ),
    upsertMessages: ({ sessionId, position, items }) =>
      byChat(sessionId, items, (group, chatId, resolve) => {
        const told = group.map((message) => resolved(message, resolve));
        return messages.upsert({ sessionId, position, chatId, resolve, items: told });
      }),
    changeMessages: ({ sessionId, position, items }) =>
      byChat(sessionId, items, (group, chatId, resolve) => {
        const told = group.map((change) => ({ ...change, chatId }));
        return changes.apply({ sessionId, position, items: told }, chatId, resolve);
      }),
    mergeContact: people.merge,
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
