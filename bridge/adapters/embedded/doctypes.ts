/** The embedded CRM's document types: which fields a record has, who fills them, and the row types that follow from it. */

/**
 * key    text that is always there
 * text   text or null
 * moment `YYYY-MM-DD HH:MM:SS.ffffff` in UTC; sorts as text
 * time   a moment or null
 * int    whole number or null
 * check  0 or 1
 */
export type Kind = "key" | "text" | "moment" | "time" | "int" | "check";
export type Value = string | number | null;
export type Row = Record<string, Value>;

type ValueOf<K extends Kind> = K extends "key" | "moment"
  ? string
  : K extends "text" | "time"
    ? string | null
    : K extends "int"
      ? number | null
      : number;
type Fields = Readonly<Record<string, Kind>>;
type Values<F extends Fields> = { -readonly [N in keyof F]: ValueOf<F[N]> };

/** What every record has. A type, not an interface: only those count as a `Row`. */
export type Named = { name: string; creation: string; modified: string };

export interface DocType {
  readonly doctype: string;
  /** Where an engine keeps it. */
  readonly table: string;
  /** Names are this and a number with so many digits at least; null: the record names itself by its first field. */
  readonly series: { prefix: string; digits: number } | null;
  /** Fields of documents. */
  readonly fields: Fields;
  /** What the rules remember beside the document; never shown. */
  readonly hidden: Fields;
}

export const SESSION = {
  doctype: "WhatsApp Session",
  table: "whatsapp_session",
  series: null,
  fields: {
    session_id: "key",
    session_name: "text",
    status: "text",
    is_connected: "check",
    is_active: "check",
    phone_number: "text",
    session_db_id: "int",
    last_seen: "time",
    total_contacts: "int",
    total_chats: "int",
    total_conversations: "int",
    total_messages: "int",
    total_messages_sent: "int",
    total_messages_received: "int",
    last_sync: "time",
    error_message: "text",
    error_code: "text",
    assigned_to: "text",
    notes: "text",
  },
  hidden: { position: "int" },
} as const satisfies DocType;

export const CONTACT = {
  doctype: "WhatsApp Contact",
  table: "whatsapp_contact",
  series: { prefix: "WACONT-", digits: 5 },
  fields: {
    contact_id: "key",
    session: "key",
    phone_number: "text",
    contact_name: "text",
    pushname: "text",
    short_name: "text",
    verified_name: "text",
    verified_level: "text",
    about: "text",
    lid: "text",
    is_user: "check",
    is_group: "check",
    is_my_contact: "check",
    is_wa_contact: "check",
    is_blocked: "check",
    is_enterprise: "check",
    is_verified: "check",
    profile_pic_url: "text",
    last_profile_pic_update: "time",
    last_sync: "time",
    sync_count: "int",
    sync_status: "text",
    assigned_to: "text",
    labels: "text",
    tags: "text",
    notes: "text",
    priority: "text",
  },
  hidden: { position: "int" },
} as const satisfies DocType;

export const CONVERSATION = {
  doctype: "WhatsApp Conversation",
  table: "whatsapp_conversation",
  series: { prefix: "WACONV-", digits: 4 },
  fields: {
    session: "key",
    chat_id: "key",
    contact: "text",
    contact_name: "text",
    phone_number: "text",
    status: "text",
    is_group: "check",
    is_broadcast: "check",
    is_read_only: "check",
    is_archived: "check",
    is_pinned: "check",
    is_muted: "check",
    mute_expiration: "time",
    unread_count: "int",
    total_messages: "int",
    last_message: "text",
    last_message_time: "time",
    last_message_from_me: "check",
    first_message_time: "time",
    last_synced_at: "time",
    last_remote_message_id: "text",
    assigned_to: "text",
    labels: "text",
    tags: "text",
    notes: "text",
    priority: "text",
  },
  // `held`: messages written so far, for the total that is shown; what is compared with the hub is counted anew.
  hidden: { position: "int", last_message_position: "int", held: "int" },
} as const satisfies DocType;

export const MESSAGE = {
  doctype: "WhatsApp Message",
  table: "whatsapp_message",
  series: { prefix: "WAMSG-", digits: 5 },
  fields: {
    message_id: "key",
    session: "key",
    conversation: "key",
    contact: "text",
    timestamp: "moment",
    direction: "text",
    message_type: "text",
    content: "text",
    caption: "text",
    status: "key",
    sent_at: "time",
    delivered_at: "time",
    read_at: "time",
    edited_at: "time",
    deleted_at: "time",
    from_number: "text",
    to_number: "text",
    participant: "key",
    push_name: "text",
    from_me: "check",
    is_forwarded: "check",
    is_starred: "check",
    is_reply: "check",
    quoted_message: "text",
    quoted_message_id: "text",
    has_reaction: "check",
    reaction: "text",
    has_media: "check",
    details: "text",
    error_message: "text",
    labels: "text",
    notes: "text",
  },
  hidden: { position: "int", status_position: "int", reactions: "text", edit_position: "int" },
} as const satisfies DocType;

export const MEDIA = {
  doctype: "WhatsApp Message Media",
  table: "whatsapp_message_media",
  series: { prefix: "WAMEDIA-", digits: 5 },
  fields: {
    parent: "key",
    parenttype: "text",
    parentfield: "text",
    idx: "int",
    media_type: "text",
    file: "text",
    filename: "text",
    filesize: "int",
    mimetype: "text",
    url: "text",
    remote_media_id: "text",
    media_hash: "text",
  },
  hidden: {},
} as const satisfies DocType;

export const CLIENT = {
  doctype: "WhatsApp Client",
  table: "whatsapp_client",
  series: { prefix: "WACLIENT-", digits: 4 },
  fields: {
    // None while the directory does not know the client.
    external_id: "text",
    client_code: "text",
    client_name: "text",
    email: "text",
    phone: "text",
    address: "text",
    zone: "text",
    national_id: "text",
    contact: "text",
    synced_at: "time",
    status: "text",
    plan: "text",
    role: "text",
    assigned_to: "text",
    notes: "text",
    details: "text",
  },
  hidden: {},
} as const satisfies DocType;

type RowOf<D extends DocType> = Named & Values<D["fields"]> & Values<D["hidden"]>;
export type SessionRow = RowOf<typeof SESSION>;
export type ContactRow = RowOf<typeof CONTACT>;
export type ConversationRow = RowOf<typeof CONVERSATION>;
export type MessageRow = RowOf<typeof MESSAGE>;
export type MediaRow = RowOf<typeof MEDIA>;
export type ClientRow = RowOf<typeof CLIENT>;

export const DOCTYPES: readonly DocType[] = [SESSION, CONTACT, CONVERSATION, MESSAGE, MEDIA, CLIENT];

const EMPTY: Record<Kind, Value> = { key: "", text: null, moment: "", time: null, int: null, check: 0 };

/** Made once for each type: a sync takes thousands of them. */
const blanks = new Map(DOCTYPES.map((type) => [type, emptyRow(type)]));

function emptyRow({ fields, hidden }: DocType): Row {
  const row: Row = { creation: "", modified: "" };
  for (const [field, kind] of Object.entries({ ...fields, ...hidden })) row[field] = EMPTY[kind];
  // V8 copies what was parsed many times faster than what grew field by field.
  return JSON.parse(JSON.stringify(row)) as Row; // of a Row just made
}

/** A record with nothing filled in but its moment of creation. */
export function blank<D extends DocType>(type: D, now: string): Omit<RowOf<D>, "name"> {
  const row: Row = { ...blanks.get(type), creation: now, modified: now };
  // The compiler cannot follow a type through the loop that made it true.
  return row as unknown as Omit<RowOf<D>, "name">;
}

/** Every column of a document type, in the order in which engines write them. */
export const columnsOf = ({ fields, hidden }: DocType): string[] => [
  "creation",
  "modified",
  ...Object.keys(fields),
  ...Object.keys(hidden),
];

export const nameOf = ({ series }: DocType, number: number): string =>
  series === null ? String(number) : series.prefix + String(number).padStart(series.digits, "0");
