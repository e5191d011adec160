/** Which route of the hub answers which question of the bridge. */
import { z } from "zod";
import {
  chatSchema,
  contactSchema,
  eventSchema,
  messageSchema,
  sentSchema,
  sessionSchema,
  sessionTotalsSchema,
} from "../hub/contract/index.ts";
import { HubUnavailable } from "./errors.ts";
import type { HubClient, HubPage, PageQuery, SessionStanding } from "./hub-client.ts";
import { itemsOf, notUnderstood, pageOf, parsed } from "./hub-answers.ts";
import type { Log } from "./log.ts";
import type { Session } from "./records.ts";

export interface HubRequest {
  /** For logs and errors. */
  name: string;
  method: "GET" | "POST" | "PUT";
  /** Percent-encoded. */
  path: string;
  query?: Record<string, string | number | undefined>;
  body?: object;
  idempotencyKey?: string;
  /** Of all tries together. */
  deadlineMs?: number;
}

type Ask = (request: HubRequest) => Promise<unknown>;

const MOST_ROWS = 1000;
/** The hub answers a send within 25 s. Whoever ordered it waits 30: by then it is sent, kept for later (`outgoing/`) or refused. */
const SEND_MS = 28_000;

const standingSchema = sessionSchema.extend({
  // A hub of before does not count them here.
  totals: sessionTotalsSchema.pick({ contacts: true, chats: true }).optional(),
  latestSeq: z.int(),
});

const feedSchema = z.object({
  events: z.array(z.unknown()),
  nextAfter: z.int(),
  hasMore: z.boolean(),
  latestSeq: z.int(),
  oldestSeq: z.int(),
  hubId: z.string(),
  epoch: z.int(),
});

const endpointsSchema = z.object({
  endpoints: z.array(
    z.object({ id: z.string(), url: z.string(), events: z.array(z.string()), enabled: z.boolean() }),
  ),
});
/** Everything, in order per chat: what the bridge needs to follow the hub closely. */
const SUBSCRIPTION = { events: ["*"], ordering: "chat", enabled: true };

const qrSchema = z.object({
  qrCode: z.string(),
  qrCodeDataUrl: z.string(),
  sessionId: z.string(),
  status: z.string(),
  expiresAt: z.string(),
});

const at = (...parts: string[]): string => `/api/${parts.map(encodeURIComponent).join("/")}`;

export function hubRoutes(ask: Ask, log: Log): Omit<HubClient, "close"> {
  const list = async <Schema extends z.ZodType>(
    plural: string,
    { path, query, item }: { path: string; query: HubRequest["query"] & object; item: Schema },
  ): Promise<HubPage<z.output<Schema>>> => {
    const data = await ask({ name: plural, method: "GET", path, query });
    return pageOf(plural, { item, data, log });
  };

  const countedInLists = async (sessionId: string): Promise<SessionStanding["totals"]> => {
    const query = { limit: 1 };
    const [contacts, chats] = await Promise.all([
      list("contacts", { path: at("contacts", sessionId), query, item: contactSchema }),
      list("chats", { path: at("messages", sessionId, "chats"), query, item: chatSchema }),
    ]);
    return { contacts: contacts.total, chats: chats.total };
  };

  const orderSession = async (sessionId: string, order: string): Promise<Session> => {
    const data = await ask({ name: order, method: "POST", path: at("sessions", sessionId, order), body: {} });
    return parsed(order, sessionSchema, data);
  };

  return {
    sessions: async () => {
      const all: Session[] = [];
      for (let cursor: string | undefined; ;) {
        const query = { limit: MOST_ROWS, cursor };
        const page = await list("sessions", { path: at("sessions"), query, item: sessionSchema });
        all.push(...page.items);
        if (page.nextCursor === null) return all;
        cursor = page.nextCursor;
      }
    },
    session: async (sessionId) => {
      const data = await ask({ name: "session", method: "GET", path: at("sessions", sessionId, "status") });
      const { latestSeq, totals, ...session } = parsed("session", standingSchema, data);
      return { session, totals: totals ?? (await countedInLists(sessionId)), position: latestSeq };
    },
    contacts: (sessionId, query) =>
      list("contacts", { path: at("contacts", sessionId), query: paging(query), item: contactSchema }),
    chats: (sessionId, query) =>
      list("chats", { path: at("messages", sessionId, "chats"), query: paging(query), item: chatSchema }),
    messages: (sessionId, chatId, { order, since, ...query }) =>
      list("messages", {
        path: at("messages", sessionId, chatId),
        query: { ...paging(query), order, since },
        item: messageSchema,
      }),
    chat: (sessionId, chatId) =>
      unlessUnknown(async () => {
        const path = at("messages", sessionId, "chats");
        const query = { chatId, limit: 1 };
        const { items, position } = await list("chats", { path, query, item: chatSchema });
        const chat = items.find((one) => one.chatId === chatId);
        return chat === undefined ? null : { chat, position };
      }),
    contact: (sessionId, contactId) =>
      unlessUnknown(async () => {
        const path = at("contacts", sessionId);
        const query = { contactId, limit: 1 };
        const { items, position } = await list("contacts", { path, query, item: contactSchema });
        const contact = items.find(({ id }) => id === contactId);
        return contact === undefined ? null : { contact, position };
      }),
    message: (sessionId, chatId, messageId) =>
      unlessUnknown(async () => {
        const path = at("messages", sessionId);
        const query = { chatId, messageId, limit: 1 };
        const { items, position } = await list("messages", { path, query, item: messageSchema });
        const message = items.find((one) => one.messageId === messageId);
        return message === undefined ? null : { message, position };
      }),
    lookUp: async (sessionId, contactId) => {
      const path = at("contacts", sessionId, "info", contactId);
      await unlessUnknown(() => ask({ name: "contact", method: "GET", path }));
    },
    events: async ({ after, limit }) => {
      const data = await ask({ name: "events", method: "GET", path: at("events"), query: { after, limit } });
      const { events: rows, ...feed } = parsed("events", feedSchema, data);
      return { ...feed, events: itemsOf("events", { item: eventSchema, rows, log }) };
    },

    subscribe: async ({ url, secret }) => {
      const path = at("endpoints");
      const query = { limit: MOST_ROWS };
      const { endpoints } = parsed(
        "endpoints",
        endpointsSchema,
        await ask({ name: "endpoints", method: "GET", path, query }),
      );
      const own = endpoints.find((endpoint) => endpoint.url === url);
      if (own === undefined) {
        const body = { ...SUBSCRIPTION, url, secret, description: "Inbox Hub bridge" };
        await ask({ name: "subscribe", method: "POST", path, body });
        return "created";
      }
      if (own.enabled && own.events.includes("*")) return "unchanged";
      await ask({ name: "subscribe", method: "PUT", path: at("endpoints", own.id), body: SUBSCRIPTION });
      return "updated";
    },

    connect: (sessionId) => orderSession(sessionId, "connect"),
    disconnect: (sessionId) => orderSession(sessionId, "disconnect"),
    logout: (sessionId) => orderSession(sessionId, "logout"),
    createSession: async (input) => {
      const body = { sessionId: input.sessionId, sessionName: input.sessionName };
      const data = await ask({ name: "create", method: "POST", path: at("sessions"), body });
      return parsed("create", sessionSchema, data);
    },
    qrCode: async (sessionId) => {
      const data = await ask({ name: "qr", method: "GET", path: at("sessions", sessionId, "qr") });
      return parsed("qr", qrSchema, data);
    },
    sendMessage: async (sessionId, order, idempotencyKey) => {
      const path = at("messages", sessionId, "send");
      const data = await ask({
        name: "send",
        method: "POST",
        path,
        body: order,
        idempotencyKey,
        deadlineMs: SEND_MS,
      });
      const { messageId, status } = parsed("send", sentSchema.pick({ messageId: true, status: true }), data);
      if (messageId === "") throw notUnderstood("send");
      return { messageId, status };
    },
  };
}

const paging = ({ limit, cursor, updatedAfter }: PageQuery) => ({ limit, cursor, updatedAfter });

const UNKNOWN = ["SESSION_NOT_FOUND", "CONTACT_NOT_FOUND", "CHAT_NOT_FOUND", "MESSAGE_NOT_FOUND"];

/** Null for what the hub does not have, also since its session is gone. */
async function unlessUnknown<T>(read: () => Promise<T | null>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof HubUnavailable && error.code !== null && UNKNOWN.includes(error.code)) return null;
    throw error;
  }
}
