/** The hub's REST as the bridge uses it; answers are checked against the contract once, here. */
import type { Place } from "./own-endpoint.ts";
import type { Chat, Contact, Message, MessageName, Session } from "./records.ts";
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

export interface Subscribed {
  endpointId: string;
  /** In this order; nothing: it was as it should be. */
  done: ("created" | "secret rotated" | "moved" | "updated" | "resumed" | "former one deleted")[];
  /** What a person may have to do, in words. */
  advice: string[];
  /** The hub keeps what it would push, until somebody resumes it. */
  isPaused: boolean;
  /** False while the one it had before is still there beside it: that one is not forgotten. */
  isSettled: boolean;
}

/** `latestSeq`: the hub's newest number once the order was done; undefined: a hub of before does not tell it. */
export type Ordered<Answer> = Answer & { latestSeq?: number | undefined };

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
  /** Of all chats, those that are new or changed since, in whatever order the hub reads them best. */
  changedMessages(sessionId: string, query: PageQuery): Promise<HubPage<Message>>;
  /** One chat; null when the hub does not have it. */
  chat(sessionId: string, chatId: string): Promise<{ chat: Chat; position: number } | null>;
  /** One contact; null when the hub does not have it. */
  contact(sessionId: string, contactId: string): Promise<{ contact: Contact; position: number } | null>;
  /**
   * Has the hub ask WhatsApp for picture and "about" of the `most` most recently active contacts, where it never did, in its own
   * time: what it finds it tells by an event. How many wait.
   */
  lookUpAll(sessionId: string, most: number): Promise<number>;
  /** One message; null when the hub does not have it. */
  message(sessionId: string, name: MessageName): Promise<{ message: Message; position: number } | null>;
  /**
   * `deadlineMs`: of all tries together, for who wants to know now.
   * @throws HubUnavailable `EVENTS_EXPIRED` when `after` is older than what the hub keeps
   */
  events(query: { after: number; limit: number; deadlineMs?: number }): Promise<EventsPage>;

  /**
   * Makes sure that the hub pushes every event to this URL, signed with the first of these secrets: the bridge's endpoint is
   * made, moved, mended, given the secret, or found as it should be.
   */
  subscribe(place: Place): Promise<Subscribed>;

  connect(sessionId: string): Promise<Ordered<Session>>;
  disconnect(sessionId: string): Promise<Ordered<Session>>;
  logout(sessionId: string): Promise<Ordered<Session>>;
  createSession(input: { sessionId: string; sessionName?: string | undefined }): Promise<Session>;
  qrCode(
    sessionId: string,
  ): Promise<{ qrCode: string; qrCodeDataUrl: string; sessionId: string; status: string; expiresAt: string }>;
  /** Begins the linking. A code to type on the phone with this number (digits); left out: the number the session was made for. */
  pairingCode(
    sessionId: string,
    phoneNumber?: string,
  ): Promise<Ordered<{ pairingCode: string; status: string; expiresAt: string }>>;
  sendMessage(
    sessionId: string,
    order: { to: string; type: string; message: unknown },
    idempotencyKey: string,
  ): Promise<{ messageId: string; status: string }>;
  close(): Promise<void>;
}
