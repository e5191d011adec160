/** The document types a site needs, as `prepare` creates them: names, kinds and keys of the contract. Data, no code. */
import { STATE_FIELD } from "./hub-state.ts";
import { CLIENT, CONTACT, CONVERSATION, MEDIA, MESSAGE, SESSION } from "./site.ts";

export interface FieldDefinition {
  fieldname: string;
  label: string;
  fieldtype: string;
  options?: string;
  default?: string;
  reqd?: 1;
  unique?: 1;
  read_only?: 1;
  hidden?: 1;
  in_list_view?: 1;
  search_index?: 1;
  /** What people write on WhatsApp is text: the site must not take parts of it for HTML. */
  ignore_xss_filter?: 1;
}

export interface DocTypeDefinition {
  name: string;
  autoname: string;
  istable?: 1;
  title_field?: string;
  fields: FieldDefinition[];
}

type Extra = Omit<FieldDefinition, "fieldname" | "label" | "fieldtype">;

const labelOf = (fieldname: string): string =>
  fieldname
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(" ");

const field =
  (fieldtype: string, base: Extra = {}) =>
  (fieldname: string, extra: Extra = {}): FieldDefinition => ({
    fieldname,
    label: labelOf(fieldname),
    fieldtype,
    ...base,
    ...extra,
  });

const data = field("Data");
const name = field("Data", { ignore_xss_filter: 1 });
const check = field("Check", { default: "0" });
const int = field("Int", { default: "0" });
const datetime = field("Datetime");
const long = field("Long Text", { ignore_xss_filter: 1 });
const small = field("Small Text", { ignore_xss_filter: 1 });
const select = (fieldname: string, options: string[], extra: Extra = {}): FieldDefinition =>
  field("Select")(fieldname, { options: options.join("\n"), ...extra });
const link = (fieldname: string, doctype: string, extra: Extra = {}): FieldDefinition =>
  field("Link")(fieldname, { options: doctype, search_index: 1, ...extra });
const state = field("Long Text", { hidden: 1, read_only: 1, ignore_xss_filter: 1 })(STATE_FIELD);

/** For the people who work with the records; nothing here ever writes them. */
const personsOwn = [
  link("assigned_to", "User"),
  select("priority", ["", "Low", "Medium", "High", "Urgent"]),
  small("labels"),
  small("notes"),
];

const REQUIRED = { reqd: 1 } as const;
const KEY = { reqd: 1, unique: 1, in_list_view: 1 } as const;
const LISTED = { in_list_view: 1 } as const;

const MESSAGE_TYPES =
  "text image video audio voice document location contact sticker buttons list poll reaction".split(" ");

/** In the order in which they must exist: links and child tables name earlier ones. */
export const DOCTYPES: DocTypeDefinition[] = [
  {
    name: SESSION,
    autoname: "hash",
    title_field: "session_name",
    fields: [
      data("session_id", KEY),
      name("session_name", { ...REQUIRED, ...LISTED }),
      select("status", ["Disconnected", "Connecting", "Connected", "QR Code Required", "Error"], {
        ...REQUIRED,
        ...LISTED,
        default: "Disconnected",
      }),
      check("is_connected"),
      check("is_active", { default: "1" }),
      data("phone_number"),
      int("session_db_id", { read_only: 1 }),
      datetime("last_seen"),
      int("total_contacts"),
      int("total_chats"),
      int("total_conversations"),
      int("total_messages"),
      int("total_messages_sent"),
      int("total_messages_received"),
      datetime("last_sync"),
      small("error_message"),
      data("error_code"),
      state,
    ],
  },
  {
    name: CONTACT,
    autoname: "field:contact_id",
    title_field: "contact_name",
    fields: [
      data("contact_id", KEY),
      link("session", SESSION, REQUIRED),
      data("phone_number", { ...REQUIRED, ...LISTED, search_index: 1 }),
      name("contact_name", LISTED),
      name("pushname"),
      name("short_name"),
      small("about"),
      name("verified_name"),
      select("verified_level", ["", "Unverified", "Verified", "Official"], { default: "Unverified" }),
      check("is_user", { default: "1" }),
      check("is_group"),
      check("is_my_contact"),
      check("is_wa_contact", { default: "1" }),
      check("is_blocked"),
      check("is_enterprise"),
      check("is_verified"),
      small("profile_pic_url"),
      datetime("last_profile_pic_update"),
      datetime("last_sync"),
      int("sync_count"),
      select("sync_status", ["Pending", "Syncing", "Synced", "Error"], { default: "Pending" }),
      ...personsOwn,
      state,
    ],
  },
  {
    name: CONVERSATION,
    autoname: "format:WACONV-{####}",
    title_field: "contact_name",
    fields: [
      link("session", SESSION, REQUIRED),
      data("chat_id", { ...REQUIRED, search_index: 1 }),
      link("contact", CONTACT),
      name("contact_name", LISTED),
      data("phone_number"),
      select("status", ["Active", "Inactive", "Archived", "Blocked"], { ...REQUIRED, default: "Active" }),
      check("is_group"),
      check("is_broadcast"),
      check("is_read_only"),
      check("is_archived"),
      check("is_pinned"),
      check("is_muted"),
      datetime("mute_expiration"),
      int("unread_count", LISTED),
      int("total_messages"),
      small("last_message"),
      datetime("last_message_time", LISTED),
      check("last_message_from_me"),
      datetime("first_message_time"),
      datetime("last_synced_at"),
      data("last_remote_message_id"),
      ...personsOwn,
      state,
    ],
  },
  {
    name: MEDIA,
    autoname: "hash",
    istable: 1,
    fields: [
      select("media_type", ["image", "video", "audio", "voice", "document", "sticker"], REQUIRED),
      field("Attach")("file"),
      name("filename", LISTED),
      int("filesize"),
      data("mimetype"),
      data("url"),
      data("remote_media_id"),
      small("media_hash"),
    ],
  },
  {
    name: MESSAGE,
    autoname: "format:WAMSG-{#####}",
    fields: [
      link("session", SESSION, REQUIRED),
      link("conversation", CONVERSATION, REQUIRED),
      link("contact", CONTACT),
      data("message_id", { unique: 1, in_list_view: 1 }),
      datetime("timestamp", { ...REQUIRED, ...LISTED, search_index: 1 }),
      select("direction", ["Incoming", "Outgoing"], { ...REQUIRED, ...LISTED }),
      select("message_type", MESSAGE_TYPES, { ...REQUIRED, default: "text" }),
      long("content"),
      select("status", ["Pending", "Sent", "Delivered", "Read", "Failed", "Deleted"], {
        ...REQUIRED,
        default: "Pending",
      }),
      datetime("sent_at"),
      datetime("delivered_at"),
      datetime("read_at"),
      data("from_number", { search_index: 1 }),
      data("to_number", { search_index: 1 }),
      check("from_me"),
      check("is_forwarded"),
      check("is_starred"),
      check("is_reply"),
      field("Link")("quoted_message", { options: MESSAGE }),
      check("has_reaction"),
      data("reaction"),
      check("has_media"),
      field("Table")("media_items", { options: MEDIA }),
      state,
    ],
  },
  {
    name: CLIENT,
    autoname: "hash",
    title_field: "client_name",
    fields: [
      // None while the directory does not know the client.
      data("external_id", { unique: 1, in_list_view: 1 }),
      data("client_code", LISTED),
      name("client_name", { ...REQUIRED, ...LISTED }),
      data("email"),
      data("phone", { search_index: 1 }),
      link("contact", CONTACT),
      small("address"),
      name("zone"),
      data("national_id", { search_index: 1 }),
      small("details"),
      datetime("synced_at"),
    ],
  },
];
