/**
 * A hub in memory behind the bridge's HubClient: its data and its failures are the test's to make. Lists are paged, bound
 * to their filters and carry positions as the real hub's are; events are told by the methods named after what happens.
 */
import { HubUnavailable } from "../../bridge/errors.ts";
import type { HubClient, PageQuery } from "../../bridge/hub-client.ts";
import type { Chat, Contact, Message, MessageName, Session } from "../../bridge/records.ts";
import { ACK, type HubEvent } from "../../hub/contract/index.ts";
import { T0 } from "./builders.ts";
import { createFakeHubStore, type FakeHubStore, type SessionData } from "./fake-hub-store.ts";
import { ascending, descending, pageOf } from "./fake-hub-pages.ts";

export interface HubCall {
  method: keyof HubClient;
  args: unknown[];
}

export interface FakeHub extends HubClient {
  store: FakeHubStore;
  calls: HubCall[];
  /** Runs before a call is answered: throw to fail it, return a promise to delay it. */
  before: (call: HubCall) => void | Promise<void>;
  /** Runs when the answer was read and is not yet handed over: what changes here makes it old. */
  after: (call: HubCall) => void | Promise<void>;
  hubId: string;
  epoch: number;
  /** Events before it are not kept any more. */
  oldestSeq: number;

  /** A message comes in, or goes out. */
  receives(sessionId: string, message: Partial<Message>): HubEvent;
  raises(sessionId: string, key: MessageKey, status: "delivered" | "read"): HubEvent;
  edits(sessionId: string, key: MessageKey, content: string): HubEvent;
  deletes(sessionId: string, key: MessageKey): HubEvent;
  changesContact(sessionId: string, contactId: string, change: Partial<Contact>): HubEvent;
  changesChat(sessionId: string, chatId: string, change: Partial<Chat>): HubEvent;
  turns(sessionId: string, status: Session["status"]): HubEvent;
}

interface MessageKey {
  chatId: string;
  messageId: string;
}

export const hubDown = (): HubUnavailable => new HubUnavailable("The hub does not answer.");
export const hubLimits = (retryAfterSeconds: number): HubUnavailable =>
  new HubUnavailable("The hub is limited.", { code: "RATE_LIMIT_EXCEEDED", status: 429, retryAfterSeconds });
const notFound = (code: string): HubUnavailable =>
  new HubUnavailable("The hub has none.", { code, status: 404 });

export function createFakeHub({
  now = () => T0,
  firstSeq = 1,
}: { now?: () => Date; firstSeq?: number } = {}): FakeHub {
  const store = createFakeHubStore({ now, firstSeq });
  const nowSeconds = (): number => Math.floor(now().getTime() / 1000);

  const need = (sessionId: string): SessionData => {
    const data = store.of(sessionId);
    if (data === undefined) throw notFound("SESSION_NOT_FOUND");
    return data;
  };

  /** Every call is noted, may be failed or delayed, and hands out copies. */
  const call =
    <Args extends unknown[], Result>(method: keyof HubClient, answer: (...args: Args) => Result) =>
    async (...args: Args): Promise<Result> => {
      const made = { method, args };
      hub.calls.push(made);
      await hub.before(made);
      const result = structuredClone(answer(...args));
      await hub.after(made);
      return result;
    };

  const isAfter = (updatedAfter: number | undefined) => (kept: { updatedAt: number }) =>
    updatedAfter === undefined || kept.updatedAt > updatedAfter;

  const contacts = (sessionId: string, { limit, cursor, updatedAfter }: PageQuery) => {
    const keyOf = ({ name, id }: Contact) => [(name ?? "").toLowerCase(), id];
    const rows = [...need(sessionId).contacts.values()]
      .filter(isAfter(updatedAfter))
      .map(({ record }) => record)
      .sort((a, b) => ascending(keyOf(a), keyOf(b)));
    const bound = ["contacts", sessionId, updatedAfter];
    return pageOf({ rows, keyOf, compare: ascending, bound, limit, cursor, position: store.seq() });
  };

  const chats = (sessionId: string, { limit, cursor, updatedAfter }: PageQuery) => {
    const keyOf = ({ lastMessageAt, conversationId }: Chat) => [lastMessageAt ?? 0, conversationId];
    const rows = [...need(sessionId).chats.values()]
      .filter(isAfter(updatedAfter))
      .map(({ record }) => record)
      .sort((a, b) => descending(keyOf(a), keyOf(b)));
    const bound = ["chats", sessionId, updatedAfter];
    return pageOf({ rows, keyOf, compare: descending, bound, limit, cursor, position: store.seq() });
  };

  const messages: (...args: Parameters<HubClient["messages"]>) => ReturnType<typeof pageOf<Message>> = (
    sessionId,
    chatId,
    { limit, cursor, updatedAfter, order = "desc", since },
  ) => {
    const compare = order === "asc" ? ascending : descending;
    const numbers = new Map<string, number>();
    const kept = (need(sessionId).messages.get(chatId) ?? []).filter(isAfter(updatedAfter));
    for (const { record, n } of kept) numbers.set(record.messageId, n);
    const keyOf = ({ timestamp, messageId }: Message) => [timestamp, numbers.get(messageId) ?? 0];
    const rows = kept
      .map(({ record }) => record)
      .filter(({ timestamp }) => since === undefined || timestamp >= since)
      .sort((a, b) => compare(keyOf(a), keyOf(b)));
    const bound = ["messages", sessionId, chatId, order, since, updatedAfter];
    return pageOf({ rows, keyOf, compare, bound, limit, cursor, position: store.seq() });
  };

  const changedMessages = (sessionId: string, { limit, cursor, updatedAfter }: PageQuery) => {
    const kept = [...need(sessionId).messages.values()].flat().filter(isAfter(updatedAfter));
    const keys = new Map(kept.map(({ record, updatedAt, n }) => [record, [updatedAt, n]]));
    const keyOf = (record: Message) => keys.get(record) ?? [];
    const rows = kept.map(({ record }) => record).sort((a, b) => ascending(keyOf(a), keyOf(b)));
    const bound = ["changed messages", sessionId, updatedAfter];
    return pageOf({ rows, keyOf, compare: ascending, bound, limit, cursor, position: store.seq() });
  };

  const one = <T>(kept: { record: T } | undefined): T | null => kept?.record ?? null;
  const turn = (sessionId: string, status: Session["status"]): Session => {
    const data = need(sessionId);
    const isConnected = status === "connected";
    data.session = {
      ...data.session,
      status,
      isConnected,
      state: STATES[status],
      hasQR: status === "qr_code",
    };
    return data.session;
  };

  const hub: FakeHub = {
    store,
    calls: [],
    before: () => undefined,
    after: () => undefined,
    hubId: "hub_1",
    epoch: 1,
    oldestSeq: firstSeq,

    sessions: call("sessions", () => [...store.sessions.values()].map(({ session }) => session)),
    session: call("session", (sessionId: string) => {
      const data = need(sessionId);
      const totals = { contacts: data.contacts.size, chats: data.chats.size };
      return { session: data.session, totals, position: store.seq() };
    }),
    contacts: call("contacts", contacts),
    chats: call("chats", chats),
    messages: call("messages", messages),
    changedMessages: call("changedMessages", changedMessages),
    chat: call("chat", (sessionId: string, chatId: string) => {
      const chat = one(need(sessionId).chats.get(chatId));
      return chat && { chat, position: store.seq() };
    }),
    contact: call("contact", (sessionId: string, contactId: string) => {
      const contact = one(need(sessionId).contacts.get(contactId));
      return contact && { contact, position: store.seq() };
    }),
    message: call("message", (sessionId: string, { chatId, messageId, fromMe }: MessageName) => {
      const ofId = (need(sessionId).messages.get(chatId) ?? []).filter(
        ({ record }) => record.messageId === messageId,
      );
      const found = ofId.find(({ record }) => fromMe === undefined || record.fromMe === fromMe);
      return found === undefined ? null : { message: found.record, position: store.seq() };
    }),
    lookUpAll: call("lookUpAll", (sessionId: string, most: number) =>
      Math.min(need(sessionId).contacts.size, most),
    ),
    events: call("events", ({ after, limit }: { after: number; limit: number }) => {
      if (after > 0 && after < hub.oldestSeq - 1)
        throw new HubUnavailable("These events are not kept any more.", {
          code: "EVENTS_EXPIRED",
          status: 410,
        });
      const rest = store.events.filter(({ seq }) => seq > after && seq >= hub.oldestSeq);
      const events = rest.slice(0, limit);
      return {
        events,
        nextAfter: events.at(-1)?.seq ?? after,
        hasMore: rest.length > events.length,
        latestSeq: store.seq(),
        oldestSeq: hub.oldestSeq,
        hubId: hub.hubId,
        epoch: hub.epoch,
      };
    }),
    subscribe: call("subscribe", () => ({
      ...{ endpointId: "ep_1", done: [], advice: [] },
      ...{ isPaused: false, isSettled: true },
    })),
    connect: call("connect", (sessionId: string) => turn(sessionId, "connecting")),
    disconnect: call("disconnect", (sessionId: string) => turn(sessionId, "disconnected")),
    logout: call("logout", (sessionId: string) => turn(sessionId, "disconnected")),
    createSession: call("createSession", (input: { sessionId: string; sessionName?: string | undefined }) =>
      store.addSession({ sessionId: input.sessionId, sessionName: input.sessionName ?? input.sessionId }),
    ),
    qrCode: call("qrCode", (sessionId: string) => ({
      qrCode: "iVBORw0KGgo=",
      qrCodeDataUrl: "data:image/png;base64,iVBORw0KGgo=",
      sessionId,
      status: "qr_code",
      expiresAt: now().toISOString(),
    })),
    pairingCode: call("pairingCode", (sessionId: string) => {
      turn(sessionId, "connecting");
      return { pairingCode: "ABCD-1234", status: "connecting", expiresAt: now().toISOString() };
    }),
    sendMessage: call(
      "sendMessage",
      (sessionId: string, order: { to: string; type: string; message: unknown }) => {
        const content = typeof order.message === "string" ? order.message : "";
        const sent = { chatId: order.to, fromMe: true, content, status: "pending" as const };
        const { messageId } = store.addMessage(sessionId, sent);
        return { messageId, status: "pending" };
      },
    ),
    close: () => Promise.resolve(),

    receives: (sessionId, message) => {
      const kept = store.addMessage(sessionId, message);
      return store.emit("message.received", sessionId, { message: messageEventOf(kept) });
    },
    raises: (sessionId, key, status) => {
      store.changeMessage(sessionId, key, { status, ack: ACK[status] });
      const at = status === "read" ? { readAt: nowSeconds() } : { deliveredAt: nowSeconds() };
      return store.emit(`message.${status}`, sessionId, { ...key, status, ack: ACK[status], ...at });
    },
    edits: (sessionId, key, content) => {
      const edited = { content, body: content, editedAt: nowSeconds() };
      const message = store.changeMessage(sessionId, key, edited);
      return store.emit("message.edited", sessionId, {
        ...key,
        content,
        editedAt: nowSeconds(),
        message: messageEventOf(message),
      });
    },
    deletes: (sessionId, key) => {
      store.changeMessage(sessionId, key, { status: "deleted", ack: ACK.deleted, deletedAt: nowSeconds() });
      const deletion = { deletedBy: key.chatId, deletedAt: nowSeconds(), forEveryone: true };
      return store.emit("message.deleted", sessionId, { ...key, ...deletion });
    },
    changesContact: (sessionId, contactId, change) => {
      const before = one(need(sessionId).contacts.get(contactId));
      const contact = store.addContact(sessionId, {
        ...before,
        ...change,
        id: contactId,
        updatedAt: nowSeconds(),
      });
      return store.emit("contact.updated", sessionId, { contact });
    },
    changesChat: (sessionId, chatId, change) => {
      const before = one(need(sessionId).chats.get(chatId));
      const chat = store.addChat(sessionId, { ...before, ...change, chatId });
      return store.emit("chat.updated", sessionId, { chatId, conversationId: chat.conversationId, chat });
    },
    turns: (sessionId, status) => {
      const previousState = need(sessionId).session.state;
      const { isConnected, state, phoneNumber, pushName, reason } = turn(sessionId, status);
      const common = { status, isConnected, phoneNumber, timestamp: nowSeconds() };
      return isConnected
        ? store.emit("session.connected", sessionId, { ...common, pushName, previousState, downSeconds: 0 })
        : store.emit("session.disconnected", sessionId, { ...common, state, reason, willRetry: false });
    },
  };
  return hub;
}

const STATES: Record<Session["status"], string> = {
  connected: "connected",
  connecting: "reconnecting",
  qr_code: "qr",
  disconnected: "stopped",
  error: "replaced",
};

/** A message inside an event: plain ids, and members that say nothing are left out. */
const messageEventOf = (message: Message) => ({
  id: message.messageId,
  messageId: message.messageId,
  whatsappMessageId: message.messageId,
  content: message.content,
  body: message.body,
  chatId: message.chatId,
  from: message.from,
  to: message.to,
  fromMe: message.fromMe,
  isGroup: message.isGroup,
  timestamp: message.timestamp,
  type: message.type,
  has_attachment: message.hasMedia,
  media: message.media,
  ...(message.fromMe ? { status: message.status } : {}),
  ...(message.participant === null ? {} : { participant: message.participant }),
  ...(message.pushName === null ? {} : { pushName: message.pushName }),
  conversationId: message.conversationId,
});
