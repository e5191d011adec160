/** The hub's REST as the bridge uses it; answers are checked against the contract once, here. */
import type { Chat, Contact, Message, Session } from "./records.ts";
import type { HubEvent } from "../hub/contract/index.ts";

/** One page of a list. `position` is the newest `seq` the hub had before it read the rows. */
export interface HubPage<T> {
  items: T[];
  total: number;
  nextCursor: string | null;
  position: number;
}

/** `totals`: what the hub has of it. `position`: the newest `seq` the hub had before it read them. */
export interface SessionStanding {
  session: Session;
  totals: { contacts: number; chats: number };
  position: number;
}

export interface PageQuery {
  limit: number;
  cursor?: string | undefined;
  /** Unix seconds: only what changed since. */
  updatedAfter?: number | undefined;
}

export interface EventsPage {
  events: HubEvent[];
  nextAfter: number;
  hasMore: boolean;
  latestSeq: number;
  oldestSeq: number;
  hubId: string;
  epoch: number;
}

/**
 * Every method waits as `Retry-After` says on 429 and 503 (within its deadline) and repeats reads that found no answer.
 * @throws HubUnavailable with the hub's own code otherwise
 */
export interface HubClient {
  sessions(): Promise<Session[]>;
  /** @throws HubUnavailable `SESSION_NOT_FOUND` */
  session(sessionId: string): Promise<SessionStanding>;
  contacts(sessionId: string, query: PageQuery): Promise<HubPage<Contact>>;
  chats(sessionId: string, query: PageQuery): Promise<HubPage<Chat>>;
  /** Of one chat, newest first unless `order` is `asc`; `since` in Unix seconds. */
  messages(
    sessionId: string,
    chatId: string,
    query: PageQuery & { order?: "asc" | "desc"; since?: number | undefined },
  ): Promise<HubPage<Message>>;
  /** One chat; null when the hub does not have it. */
  chat(sessionId: string, chatId: string): Promise<{ chat: Chat; position: number } | null>;
  /** One contact; null when the hub does not have it. */
  contact(sessionId: string, contactId: string): Promise<{ contact: Contact; position: number } | null>;
  /** Has the hub ask WhatsApp for a contact's picture and "about", in its own time: what it finds it tells by an event. */
  lookUp(sessionId: string, contactId: string): Promise<void>;
  /** One message by its id; null when the hub does not have it. */
  message(
    sessionId: string,
    chatId: string,
    messageId: string,
  ): Promise<{ message: Message; position: number } | null>;
  /** @throws HubUnavailable `EVENTS_EXPIRED` when `after` is older than what the hub keeps */
  events(query: { after: number; limit: number }): Promise<EventsPage>;

  /** Makes sure that the hub pushes every event to this URL; an endpoint that is there already keeps its secret. */
  subscribe(target: { url: string; secret: string }): Promise<"created" | "updated" | "unchanged">;

  connect(sessionId: string): Promise<Session>;
  disconnect(sessionId: string): Promise<Session>;
  logout(sessionId: string): Promise<Session>;
  createSession(input: { sessionId: string; sessionName?: string | undefined }): Promise<Session>;
  qrCode(
    sessionId: string,
  ): Promise<{ qrCode: string; qrCodeDataUrl: string; sessionId: string; status: string; expiresAt: string }>;
  sendMessage(
    sessionId: string,
    order: { to: string; type: string; message: unknown },
    idempotencyKey: string,
  ): Promise<{ messageId: string; status: string }>;
  close(): Promise<void>;
}
