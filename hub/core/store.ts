/**
 * The one door to storage, made of operations: what must become true together is one method and one transaction.
 * Every engine passes `test/conformance/store.ts`. Methods may answer later; an engine must keep the order of calls.
 */
import type { EventName, HubEvent } from "../contract/events.ts";
import type { ApiKey } from "./api-key.ts";
import type { NewAuditEntry } from "./audit.ts";
import type { AuditStore } from "./audit-store.ts";
import type { Attempt, DeliveryState } from "./delivery.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ErasureStore } from "./erasure.ts";
import type { InboxStore } from "./inbox-store.ts";
import type { Jid } from "./jid.ts";
import type { IntakeStore } from "./intake-store.ts";
import type { AuthStore, Watermark } from "./login-store.ts";
import type { LookUpStore } from "./look-up-store.ts";
import type { MediaStore } from "./media-store.ts";
import type { OutboxStore } from "./outbox-store.ts";
import type { NewEvent } from "./new-event.ts";
import type { Message, MessageMedia } from "./message.ts";
import type { Page, PageRequest } from "./page.ts";
import type { SessionFigures } from "./session-figures.ts";
import type { Session } from "./session.ts";
import type { UserStore } from "./user-store.ts";

export type * from "./audit-store.ts";
export type * from "./inbox-store.ts";
export type * from "./intake-store.ts";
export type * from "./login-store.ts";
export type * from "./look-up-store.ts";
export type * from "./media-store.ts";
export type * from "./new-event.ts";
export type * from "./outbox-store.ts";
export type * from "./user-store.ts";

export interface Store {
  sessions: SessionStore;
  auth: AuthStore;
  intake: IntakeStore;
  inbox: InboxStore;
  lookUps: LookUpStore;
  sends: SendStore;
  media: MediaStore;
  erasure: ErasureStore;
  events: EventStore;
  endpoints: EndpointStore;
  outbox: OutboxStore;
  trace: TraceStore;
  keys: KeyStore;
  users: UserStore;
  audit: AuditStore;
  figures: FigureStore;
  marks: MarkStore;
  letters: LetterStore;
  vault: VaultStore;
  /** Gives at most so many free pages of the file back to the disk; returns how many, 0 when there are hardly any. */
  giveBack(pages: number): Promise<number>;
  /** Proves that a write reaches the disk; throws when it does not. */
  canary(): Promise<void>;
  /** Identity of this database: changes when a backup is restored, so that readers of the feed notice. */
  identity(): Promise<{ hubId: string; epoch: number }>;
  watermark(): Promise<Watermark>;
  /**
   * This database is a copy: readers are to notice (`epoch`), numbers given since are not given again, logins that were
   * used since are marked, and messages that were on their way wait for WhatsApp's word alone. `since` says how far the hub had got; unless its logins are known to be the last, all are stale.
   */
  declareRestored(since: Watermark, options: { areLoginsKnown: boolean }): Promise<void>;
  /** A copy of the whole, as of one moment, in a new file; work goes on meanwhile. */
  copyInto(file: string): Promise<void>;
  /** Writes the log back into the file and closes. */
  close(): Promise<void>;
}

export interface SessionStore {
  /** All, deleted ones included only on request; by integer id. */
  list(options?: { includeDeleted?: boolean }): Promise<Session[]>;
  /** By string id; null also when it is deleted. */
  get(sessionId: string): Promise<Session | null>;
  /** Creates, or brings a deleted one back with its integer, with its events; null when the id is in use. */
  create(session: Omit<Session, "id">, events?: NewEvent[]): Promise<Session | null>;
  /**
   * State and its events in one write. Sends nothing when `events` is empty. `noted`: its reason is a line of the timeline,
   * also when the state stays.
   */
  save(session: Session, events: NewEvent[], options?: { noted?: boolean }): Promise<void>;
  /**
   * Sessions, other than `except`, whose row says this phone number. Deleted and logged out ones hold none; whether the others
   * still have a login of it only their credentials tell.
   */
  holdersOf(phoneNumber: string, except: string): Promise<Session[]>;
  /** What happened to a session, newest first; `save` writes each change of state. */
  timeline(sessionId: string, page: PageRequest): Promise<Page<TimelineEntry>>;
  /** Adds to the timeline what is no change of state: an order, a step of a repair. */
  note(sessionId: string, entry: Omit<TimelineEntry, "at">): Promise<void>;
}

export interface TimelineEntry {
  at: Date;
  /** A session state, or a word for what else happened. */
  type: string;
  text: string;
  /** Code of the reason, where there is one. */
  reason: string | null;
}

/** Sends in progress and the answers already given. */
export interface SendStore {
  /**
   * One transaction before anything leaves: outgoing row, message and its event. A message whose id is known is left
   * alone. `order` is the send as JSON, kept until WhatsApp has it.
   */
  accept(send: { message: Message; order: string; expiresAt: Date; now: Date }): Promise<void>;
  /** Stamps that it left; what the library made of it is kept for resends. */
  relayed(
    sessionId: string,
    messageId: string,
    sent: { raw: string | null; media: Partial<MessageMedia> | null },
    now: Date,
  ): Promise<void>;
  /** Accepted, and neither relayed nor final: to be sent (again) with the same id, oldest first. */
  waiting(sessionId: string): Promise<WaitingSend[]>;
  /**
   * What left over connections before this one and was not confirmed waits again: the line may have been dead already. A few
   * times at most, and only in its time to live. Returns how many.
   */
  waitsAgain(sessionId: string, now: Date): Promise<number>;
  /** Whether `waiting` would list it. */
  isWaiting(sessionId: string, messageId: string): Promise<boolean>;
  /** How many `waiting` would list. */
  countWaiting(sessionId: string): Promise<number>;
  /** The same, apart for people who never wrote and for everybody else. */
  countWaitingBy(sessionId: string): Promise<{ strangers: number; others: number }>;
  /** Gives a message that waits more time to leave. */
  postpone(sessionId: string, messageId: string, expiresAt: Date): Promise<void>;
  /** Whether somebody there ever wrote, only we did (and it left), or neither. */
  acquaintance(sessionId: string, chatId: Jid): Promise<Acquaintance>;
  /** Chats whose first message is ours, left, and is not older than `since`; oldest first. */
  opened(sessionId: string, since: Date): Promise<{ chatId: Jid; at: Date }[]>;
  /** When own messages that left were written, oldest first, none before `since`, at most the newest hundred. */
  lately(sessionId: string, since: Date): Promise<Date[]>;
  /** Relayed before `before` and still without an acknowledgement. */
  unconfirmed(sessionId: string, before: Date): Promise<{ messageId: string; chatId: Jid }[]>;
  /**
   * Claims an idempotency key. `new`: go on and `finish`. `same`: the stored answer. `running`: the first is not done.
   * `conflict`: another body under this key. A claim that is older than the process, or was released, is `new` again with
   * `reservedId` kept.
   */
  claim(key: IdempotencyKey, bodyHash: string, reservedId: string, now: Date): Promise<IdempotencyClaim>;
  finish(key: IdempotencyKey, answer: { status: number; body: string }, now: Date): Promise<void>;
  /**
   * Gives an unfinished claim back after a failure: a repeat may try. Where a message has the reserved id, it was accepted,
   * and the repeat goes on under that id; else nothing was done, and it is a first try.
   */
  release(key: IdempotencyKey): Promise<void>;
  /** Forgets an unfinished claim, whatever was done under it. */
  abandon(key: IdempotencyKey): Promise<void>;
  /** Removes the keys whose day is over, with their answers. */
  forgetAnswers(now: Date): Promise<void>;
}

export interface WaitingSend {
  messageId: string;
  chatId: Jid;
  order: string;
  acceptedAt: Date;
  expiresAt: Date;
  /** It left before: WhatsApp may have it. */
  hasLeft: boolean;
}

export type Acquaintance = "heard" | "written" | "none";

export interface IdempotencyKey {
  owner: string;
  route: string;
  key: string;
}

export type IdempotencyClaim =
  | { result: "new"; reservedId: string }
  | { result: "same"; status: number; body: string }
  | { result: "running"; reservedId: string }
  | { result: "conflict" };

/** The log of everything that happened: webhooks, feed and realtime read it. */
export interface EventStore {
  append(sessionId: string, events: NewEvent[], now: Date): Promise<HubEvent[]>;
  /** Ascending after `after`; bodies are the frozen bytes. An event once visible, nothing smaller becomes visible later. */
  after(query: {
    after: number;
    limit: number;
    sessions: "*" | string[];
    types?: EventName[] | undefined;
  }): Promise<{ seq: number; body: string }[]>;
  byId(eventId: string): Promise<{ seq: number; event: EventName; sessionId: string; body: string } | null>;
  /** From `oldestSeq` on the feed is whole. */
  range(): Promise<{ oldestSeq: number; latestSeq: number }>;
  /**
   * Removes events made before `before`, with their finished deliveries, but those that are still owed or parked; the feed
   * begins after them all. Looks at no more than `limit`, from the place `after` on (0: from the start), and answers where to
   * go on; null at the end.
   */
  forget(query: {
    before: Date;
    after: number;
    limit: number;
  }): Promise<{ removed: number; place: number | null }>;
}

export interface EndpointStore {
  list(): Promise<Endpoint[]>;
  get(id: string): Promise<Endpoint | null>;
  /** Creates or replaces; counters and the breaker are kept by `saveHealth`. `entry`: into the audit log, in one transaction. */
  save(endpoint: Endpoint, entry?: NewAuditEntry): Promise<void>;
  /** As `save`, with its health as it is given; of what waits, that which failed before is due now. */
  saveAfresh(endpoint: Endpoint, entry?: NewAuditEntry): Promise<void>;
  saveHealth(
    id: string,
    health: Pick<Endpoint, "breaker" | "failingSince" | "lastSuccessAt" | "lastError" | "state" | "isGone">,
  ): Promise<void>;
  /** Deletes it and dismisses what it was still owed; returns how many. */
  remove(id: string, entry?: NewAuditEntry): Promise<number>;
}

/** The way of one message, as far as it is kept. */
export interface TraceStore {
  of(message: { sessionId: string; chatId: Jid; id: string }): Promise<MessageTrace>;
}

export interface MessageTrace {
  /** When WhatsApp handed it over; null when that is not kept, or never was (history, sends). */
  receivedAt: Date | null;
  /** What was told about it, oldest first, and to whom. */
  events: {
    seq: number;
    event: EventName;
    at: Date;
    deliveries: { endpointId: string; state: DeliveryState; attempts: Attempt[] }[];
  }[];
}

export interface KeyStore {
  list(): Promise<ApiKey[]>;
  /** By SHA-256 of the whole key, current or in its grace time. */
  byHash(hash: string): Promise<ApiKey | null>;
  get(id: string): Promise<ApiKey | null>;
  /** `entry` goes into the audit log in the same transaction. */
  save(key: ApiKey, entry?: NewAuditEntry): Promise<void>;
  remove(id: string, entry?: NewAuditEntry): Promise<boolean>;
}

/** How the connections of sessions have done. */
export interface FigureStore {
  get(sessionId: string): Promise<SessionFigures | null>;
  save(sessionId: string, figures: SessionFigures): Promise<void>;
}

/** When something was last done that must not be done too often; outlives the process. */
export interface MarkStore {
  get(name: string): Promise<Date | null>;
  set(name: string, at: Date): Promise<void>;
  /** All whose names begin so: a name may carry a word of its own. */
  named(prefix: string): Promise<{ name: string; at: Date }[]>;
  forget(before: Date): Promise<number>;
}

/** Letters to people that were not sent yet; they outlive the process. */
export interface LetterStore {
  /** Only the newest few hundred are kept. */
  hold(letter: { subject: string; text: string }, at: Date): Promise<void>;
  /** Oldest first. */
  held(): Promise<HeldLetter[]>;
  /** Those up to this number are on their way. */
  sent(upTo: number): Promise<void>;
}

export interface HeldLetter {
  n: number;
  subject: string;
  text: string;
}

/** Wrapped data keys, by what they protect. */
export interface VaultStore {
  dataKey(scope: string): Promise<Uint8Array | null>;
  saveDataKey(scope: string, wrapped: Uint8Array): Promise<void>;
  /** Everything that has a key. */
  scopes(): Promise<string[]>;
}
