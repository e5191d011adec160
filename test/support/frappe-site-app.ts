/**
 * The WhatsApp app that some sites have installed: its document types, without the fields that came later, and what its
 * code does when a message or conversation is saved.
 */
import {
  plainText,
  type Doc,
  type SiteDocType,
  type SiteField,
  type SiteHooks,
} from "./frappe-site-store.ts";

/** `name Type flags`, flags: `*` required, `!` unique, `=x` default; options after a colon, separated by `/`. */
const fields = (...lines: string[]): SiteField[] =>
  lines.map((line) => {
    const [, fieldname = "", fieldtype = "Data", options, flags = ""] =
      /^(\w+)(?: ([A-Z]\w*(?: [A-Z]\w*)*))?(?::([^*!=]+))?\s*((?:[*!=][\w ]*)*)$/.exec(line) ?? [];
    const value = /=(.+)$/.exec(flags)?.[1];
    return {
      fieldname,
      fieldtype,
      ...(options === undefined
        ? {}
        : { options: fieldtype === "Select" ? options.trim().replaceAll("/", "\n") : options.trim() }),
      ...(flags.includes("*") ? { reqd: 1 } : {}),
      ...(flags.includes("!") ? { unique: 1 } : {}),
      ...(value === undefined ? {} : { default: value }),
    };
  });

const type = (name: string, autoname: string, lines: string[], istable = 0): SiteDocType => ({
  name,
  autoname,
  istable,
  allow_rename: 0,
  fields: fields(...lines),
});

export const appDocTypes = ({ renames }: { renames: boolean }): SiteDocType[] =>
  typesOfApp().map((one) => ({ ...one, allow_rename: renames ? 1 : 0 }));

const typesOfApp = (): SiteDocType[] => [
  type("WhatsApp Session", "hash", [
    "session_id Data *!",
    "session_name Data *",
    "status Select:Disconnected/Connecting/Connected/QR Code Required/Error *=Disconnected",
    "is_connected Check",
    "is_active Check =1",
    "phone_number Data",
    "session_db_id Int",
    "last_seen Datetime",
    "qr_code Text",
    "total_contacts Int",
    "total_chats Int",
    "total_messages_sent Int",
    "total_messages_received Int",
    "error_message Text",
    "error_code Data",
  ]),
  type("WhatsApp Contact", "field:contact_id", [
    "contact_id Data *!",
    "session Link:WhatsApp Session *",
    "phone_number Data *",
    "contact_name Data",
    "pushname Data",
    "short_name Data",
    "about Small Text",
    "verified_name Data",
    "verified_level Select:/Unverified/Verified/Official =Unverified",
    "is_user Check =1",
    "is_group Check",
    "is_my_contact Check",
    "is_wa_contact Check =1",
    "is_blocked Check",
    "is_enterprise Check",
    "is_verified Check",
    "profile_pic_url Text",
    "last_profile_pic_update Datetime",
    "last_sync Datetime",
    "sync_count Int",
    "sync_status Select:Pending/Syncing/Synced/Error =Pending",
    "linked_lead Data",
    "labels Small Text",
    "tags Small Text",
    "notes Text Editor",
  ]),
  type("WhatsApp Conversation", "format:WACONV-{####}", [
    "session Link:WhatsApp Session *",
    "chat_id Data *",
    "contact Link:WhatsApp Contact",
    "contact_name Data",
    "phone_number Data",
    "status Select:Active/Inactive/Archived/Blocked *=Active",
    "is_group Check",
    "is_broadcast Check",
    "is_read_only Check",
    "is_archived Check",
    "is_pinned Check",
    "is_muted Check",
    "mute_expiration Datetime",
    "unread_count Int",
    "total_messages Int",
    "last_message Small Text",
    "last_message_time Datetime",
    "last_message_from_me Check",
    "first_message_time Datetime",
    "assigned_to Data",
    "linked_lead Data",
    "labels Small Text",
    "tags Small Text",
    "priority Select:/Low/Medium/High/Urgent",
    "notes Text Editor",
  ]),
  type(
    "WhatsApp Message Media",
    "hash",
    [
      "media_type Select:image/video/audio/voice/document/sticker *",
      "file Attach",
      "filename Data",
      "filesize Int",
      "mimetype Data",
      "url Data",
    ],
    1,
  ),
  type("WhatsApp Message", "format:WAMSG-{#####}", [
    "session Link:WhatsApp Session *",
    "conversation Link:WhatsApp Conversation *",
    "contact Link:WhatsApp Contact",
    "message_id Data !",
    "timestamp Datetime *",
    "direction Select:Incoming/Outgoing *",
    "message_type Select:text/image/video/audio/voice/document/location/contact/sticker/buttons/list/poll/reaction *=text",
    "content Long Text",
    "status Select:Pending/Sent/Delivered/Read/Failed/Deleted *=Pending",
    "sent_at Datetime",
    "delivered_at Datetime",
    "read_at Datetime",
    "from_number Data",
    "to_number Data",
    "from_me Check",
    "is_forwarded Check",
    "is_starred Check",
    "is_reply Check",
    "quoted_message Link:WhatsApp Message",
    "has_reaction Check",
    "reaction Data",
    "has_media Check",
    "media_items Table:WhatsApp Message Media",
  ]),
];

/** `countsUnread`: every incoming message counts for ever, since none is ever read. */
export const appHooks = ({ countsUnread }: { countsUnread: boolean }): Record<string, SiteHooks> => ({
  "WhatsApp Message": {
    validate: (doc) => {
      const isOutgoing = doc["direction"] === "Outgoing";
      doc["from_me"] = isOutgoing ? 1 : 0;
      // What the app does to every message that passes: hard on those who do not know it.
      if (isOutgoing && (doc["sent_at"] ?? "") === "") doc["status"] = "Pending";
      if (!isOutgoing) doc["status"] = "Delivered";
    },
    saved: (doc, before, store) => {
      if (before !== null && before["content"] === doc["content"] && before["timestamp"] === doc["timestamp"])
        return;
      const conversation = store.table("WhatsApp Conversation").get(String(doc["conversation"]));
      if (conversation === undefined) return;
      const messages = [...store.table("WhatsApp Message").values()].filter(
        (other) => other["conversation"] === conversation.name,
      );
      // Of several in one second the database gives whichever it finds first.
      const last = messages.reduce<Doc>(
        (best, one) => (plainText(one["timestamp"]) > plainText(best["timestamp"]) ? one : best),
        messages[0] ?? doc,
      );
      conversation["last_message"] = last["content"];
      conversation["last_message_time"] = last["timestamp"];
      conversation["last_message_from_me"] = last["from_me"];
      conversation["total_messages"] = messages.length;
      if (countsUnread && doc["from_me"] !== 1)
        conversation["unread_count"] = messages.filter(
          (one) => one["from_me"] !== 1 && one["status"] !== "Read",
        ).length;
    },
  },
  "WhatsApp Conversation": {
    validate: (doc) => {
      const chatId = plainText(doc["chat_id"]);
      if ((doc["phone_number"] ?? "") === "" && chatId.includes("@c.us"))
        doc["phone_number"] = chatId.replace("@c.us", "");
      if (chatId.includes("@g.us")) doc["is_group"] = 1;
    },
  },
});
