/**
 * The port to a CRM. Every write is an idempotent upsert by natural key, so that whatever is written twice, after a crash
 * or by a webhook and a sync at once, is there once. An adapter is done when `test/conformance/crm-adapter.ts` passes.
 */
import type { Chat, Contact, Message, MessageChange, Session } from "./records.ts";

/**
 * created    was not there
 * updated    was there and something differed
 * unchanged  was there as it should be; nothing was written
 * missing    a change of a message the CRM does not have; nothing was written (the bridge then brings the message)
 * rejected   the CRM can never accept this record; `error` says why, and the others of the batch are not affected
 */
export type Outcome = "created" | "updated" | "unchanged" | "missing" | "rejected";

export interface WriteResult {
  outcome: Outcome;
  /** The CRM's own name of the record, where it has one. */
  id?: string;
  error?: string;
}

/**
 * Which state of the hub a record shows: the `seq` of the event it comes from, or the newest `seq` the hub had when a
 * list was read. A record never overwrites what came from a later position; equal positions may.
 * `null`: the position is not known, and only rules that need none apply (statuses rise, the later edit wins).
 */
export type Position = number | null;

/** Records of one session, in the order in which they must be written. Results come back one per item, in that order. */
export interface Batch<T> {
  sessionId: string;
  position: Position;
  items: T[];
}

/** What a CRM holds of one chat; what reconciling compares with the hub. */
export interface ChatDigest {
  chatId: string;
  messages: number;
  /** Unix seconds of the oldest and newest message held. */
  oldest: number | null;
  newest: number | null;
}

export interface Totals {
  contacts: number;
  chats: number;
  messages: number;
}

/** What the CRM's record of a session says beside the hub's own fields. */
export interface SessionNotes {
  totals: Totals;
  /** When a sync of this session last came to its end. */
  lastSync: Date | null;
}

/**
 * @throws CrmUnavailable from every method when the CRM cannot be reached, is limited or failing: ask again later
 * @throws CrmMisconfigured from every method when nothing will work before a person changes the configuration
 */
export interface CrmAdapter {
  readonly name: string;

  /** Proves that the CRM can be reached and written to. */
  check(): Promise<void>;
  /**
   * Creates what the CRM lacks to hold the records (tables, document types); safe to repeat. `tell`: what it may not do, and
   * the records do without, in words for the person who has to.
   */
  prepare(tell?: (undone: string) => void): Promise<void>;
  close(): Promise<void>;

  upsertSession(session: Session, position: Position): Promise<WriteResult>;
  /** The counters and the moment of the last sync; the session must have been upserted before. */
  noteSession(sessionId: string, notes: SessionNotes): Promise<WriteResult>;

  upsertContacts(batch: Batch<Contact>): Promise<WriteResult[]>;
  /** Links each chat of a person to that contact, and creates a bare contact where there is none. */
  upsertChats(batch: Batch<Chat>): Promise<WriteResult[]>;
  /**
   * Creates the chat of a message where there is none, and keeps the chat's last message right: a newer one only.
   * Statuses only rise; a deleted message stays deleted; a person's own fields are never touched.
   */
  upsertMessages(batch: Batch<Message>): Promise<WriteResult[]>;
  changeMessages(batch: Batch<MessageChange>): Promise<WriteResult[]>;
  /** A hidden id got its phone number: contact and chat move to it, and two chats of one person become one. */
  mergeContact(merge: {
    sessionId: string;
    from: string;
    into: string;
    position: Position;
  }): Promise<WriteResult>;

  totals(sessionId: string): Promise<Totals>;
  /**
   * One per chat that has any message; `chatIds` narrows. None at all where the CRM cannot count by chat: the newest messages
   * of the top chats are then read each time.
   */
  chatDigests(sessionId: string, chatIds?: string[]): Promise<ChatDigest[]>;

  /** The session whose record the CRM knows by this name; null where it has none. Absent where records have no names. */
  sessionIdOf?(name: string): Promise<string | null>;

  /** Clients of a remote directory; absent where the CRM has no place for them. */
  readonly clients?: ClientStore;
  /** The CRM's records as documents, for reading; absent where the CRM serves them itself. */
  readonly documents?: DocumentReader;
}

/** A client as a remote directory describes it. */
export interface DirectoryClient {
  externalId: string;
  name: string;
  email: string | null;
  /** As the directory writes it. */
  phone: string | null;
  address: string | null;
  zone: string | null;
  /** As the directory writes it; compared only in its normal form. */
  nationalId: string | null;
  /** The directory's own code of the client, where it has one. */
  code: string | null;
  /** What the directory notes of the client, as it writes it. */
  details: string | null;
}

export interface ClientStore {
  /**
   * Candidates by external id, else by the normal form of the national id, compared exactly, however the CRM has it written:
   * more than one means nobody may decide.
   */
  find(by: { externalId: string; nationalId: string | null }): Promise<ClientCandidate[]>;
  /** One transaction. All fields; `code` and `email` are filled in by the caller. */
  create(client: ClientFields): Promise<WriteResult>;
  /** One transaction. Only the fields given; an unchanged client is not written. */
  update(id: string, changes: ClientChanges): Promise<WriteResult>;
}

export interface ClientCandidate {
  id: string;
  matchedBy: "externalId" | "nationalId";
  /** Under which the directory knows this client already; null where it never did, or the CRM does not say. */
  externalId: string | null;
}

/** The white list. A field is absent where the directory says nothing: what a person filled in stays. */
export type ClientChanges = Pick<ClientFields, "externalId" | "name"> &
  Partial<Pick<ClientFields, "email" | "phone" | "address" | "zone">>;

export interface ClientFields {
  externalId: string;
  code: string;
  name: string;
  email: string;
  /** `+digits`, linked to the WhatsApp contact of that number where there is one. */
  phone: string | null;
  address: string | null;
  zone: string | null;
  /** Normal form. */
  nationalId: string;
  /** Given once: what people make of it afterwards is theirs. */
  details: string | null;
}

/** Reading in the shape of Frappe's REST: `filters` are `[field, operator, value]`. */
export interface DocumentReader {
  readonly doctypes: string[];
  /** @throws BridgeError DOCTYPE_NOT_FOUND, VALIDATION_ERROR (an unknown field or operator) */
  list(query: DocumentQuery): Promise<Record<string, unknown>[]>;
  count(query: Pick<DocumentQuery, "doctype" | "filters" | "orFilters">): Promise<number>;
  /** @throws BridgeError DOCTYPE_NOT_FOUND, DOCUMENT_NOT_FOUND */
  get(doctype: string, name: string): Promise<Record<string, unknown>>;
}

export interface DocumentQuery {
  doctype: string;
  /** `["name"]` unless asked; `["*"]` for all. */
  fields: string[];
  filters: [field: string, operator: string, value: unknown][];
  /** Beside all `filters` one of these must hold, where there are any. */
  orFilters?: [field: string, operator: string, value: unknown][];
  orderBy: { field: string; direction: "asc" | "desc" }[];
  start: number;
  limit: number;
}
