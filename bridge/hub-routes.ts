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
import type { HubClient, HubPage, Ordered, PageQuery, SessionStanding } from "./hub-client.ts";
import { itemsOf, notUnderstood, pageOf, parsed } from "./hub-answers.ts";
import type { Log } from "./log.ts";
import { at, MOST_ROWS, type Ask, type HubRequest } from "./hub-request.ts";
import { subscribe } from "./hub-subscribe.ts";
import type { Message, MessageName, Session } from "./records.ts";

/** The hub answers a send within 25 s. Whoever ordered it waits 30: by then it is sent, kept for later (`outgoing/`) or refused. */
const SEND_MS = 28_000;
/** Nobody waits for it, and the next sync says it again. */
const LOOK_UP_MS = 10_000;

/** A hub of before does not tell the settings here, a newer one may tell more of them. */
const setSessionSchema = sessionSchema.extend({ settings: z.record(z.string(), z.unknown()).optional() });

const standingSchema = setSessionSchema.extend({
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

const lookUpSchema = z.object({ waiting: z.int() });

const qrSchema = z.object({
  qrCode: z.string(),
  qrCodeDataUrl: z.string(),
  sessionId: z.string(),
  status: z.string(),
  expiresAt: z.string(),
});

/** A hub of before does not tell it. */
const afterOrder = { latestSeq: z.int().optional() };
const orderedSessionSchema = sessionSchema.extend(afterOrder);

const pairingSchema = z.object({
  ...{ pairingCode: z.string(), status: z.string(), expiresAt: z.string() },
  ...afterOrder,
});

export function hubRoutes(ask: Ask, log: Log): Omit<HubClient, "close"> {
  // Their first use compiles them: better now than while an account that has just connected waits to be copied.
  for (const schema of [contactSchema, chatSchema, messageSchema]) schema.safeParse({});

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

  const orderSession = async (sessionId: string, order: string): Promise<Ordered<Session>> => {
    const data = await ask({ name: order, method: "POST", path: at("sessions", sessionId, order), body: {} });
    return parsed(order, orderedSessionSchema, data);
  };

  return {
    sessions: async () => {
      const all: Session[] = [];
      for (let cursor: string | undefined; ;) {
        const query = { limit: MOST_ROWS, cursor };
        const page = await list("sessions", { path: at("sessions"), query, item: setSessionSchema });
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
    changedMessages: (sessionId, query) =>
      list("messages", {
        path: at("messages", sessionId),
        // A hub that does not know the second lists them by when they were sent.
        query: { ...paging(query), order: "asc", orderBy: "updated" },
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
    message: (sessionId, name) =>
      unlessUnknown(async () => {
        const path = at("messages", sessionId);
        const { chatId, messageId, fromMe } = name;
        const query = { chatId, messageId, limit: fromMe === undefined ? 1 : MOST_ROWS };
        const { items, position } = await list("messages", { path, query, item: messageSchema });
        const message =
          items.find((one) => isNamed(one, name)) ?? (items.length === 1 ? items[0] : undefined);
        return message === undefined ? null : { message, position };
      }),
    lookUpAll: async (sessionId, most) => {
      const path = at("contacts", sessionId, "look-up");
      const body = { limit: most };
      const data = await ask({ name: "look-up", method: "POST", path, body, deadlineMs: LOOK_UP_MS });
      return parsed("look-up", lookUpSchema, data).waiting;
    },
    events: async ({ deadlineMs, ...query }) => {
      const soon = deadlineMs === undefined ? {} : { deadlineMs };
      const data = await ask({ name: "events", method: "GET", path: at("events"), query, ...soon });
      const { events: rows, ...feed } = parsed("events", feedSchema, data);
      return { ...feed, events: itemsOf("events", { item: eventSchema, rows, log }) };
    },

    subscribe: (place) => subscribe(place, ask),

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
    pairingCode: async (sessionId, phoneNumber) => {
      const path = at("sessions", sessionId, "pairing-code");
      const data = await ask({ name: "pairing code", method: "POST", path, body: { phoneNumber } });
      return parsed("pairing code", pairingSchema, data);
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

/** Of several with one id: the newest, unless the name says whose. */
const isNamed = (message: Message, { messageId, fromMe, participant }: MessageName): boolean =>
  message.messageId === messageId &&
  (fromMe === undefined ||
    (message.fromMe === fromMe && (participant === undefined || message.participant === participant)));

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
