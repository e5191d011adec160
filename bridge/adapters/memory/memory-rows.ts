/** The embedded CRM's rows in memory. */
import type { Position } from "../../adapter.ts";
import {
  CLIENT,
  CONTACT,
  CONVERSATION,
  MEDIA,
  MESSAGE,
  SESSION,
  type ClientRow,
  type ContactRow,
  type ConversationRow,
  type MediaRow,
  type MessageRow,
  type SessionRow,
} from "../embedded/doctypes.ts";
import type { Rows } from "../embedded/rows.ts";
import { normalNationalId } from "../../national-id.ts";
import { messageRows } from "./memory-messages.ts";
import { createMemoryTable, keyOf } from "./memory-table.ts";

export type MemoryTables = ReturnType<typeof createMemoryTables>;

export const createMemoryTables = () => ({
  sessions: createMemoryTable<SessionRow>(SESSION, {}),
  contacts: createMemoryTable<ContactRow>(CONTACT, {
    key: (row) => keyOf(row.session, row.contact_id),
    session: (row) => row.session,
    phone: (row) => row.phone_number ?? "",
  }),
  conversations: createMemoryTable<ConversationRow>(CONVERSATION, {
    key: (row) => keyOf(row.session, row.chat_id),
    session: (row) => row.session,
  }),
  messages: createMemoryTable<MessageRow>(MESSAGE, {
    key: (row) => keyOf(row.conversation, row.message_id, row.from_me, row.participant),
    id: (row) => keyOf(row.conversation, row.message_id),
    conversation: (row) => row.conversation,
    session: (row) => row.session,
    participant: (row) => keyOf(row.session, row.participant),
    answered: (row) => keyOf(row.conversation, row.quoted_message_id ?? ""),
    hiddenReactions: (row) => (row.reactions?.includes('@lid"') === true ? row.session : ""),
  }),
  media: createMemoryTable<MediaRow>(MEDIA, { parent: (row) => row.parent }),
  clients: createMemoryTable<ClientRow>(CLIENT, {
    externalId: (row) => row.external_id ?? "",
    nationalId: (row) => normalNationalId(row.national_id) ?? "",
  }),
});

export function createMemoryRows(tables: MemoryTables): Rows {
  const { sessions, contacts, conversations, messages, media, clients } = tables;
  const aliases = new Map<string, { into: string; position: Position }>();
  const messagesOf = messageRows(messages, conversations);
  return {
    sessions: { ...sessions, of: (sessionId) => sessions.named(sessionId) },
    contacts: {
      ...contacts,
      of: (session, contactId) => contacts.by("key", keyOf(session, contactId))[0],
      withPhone: (phone) => contacts.by("phone", phone)[0],
      count: (session) => contacts.by("session", session).length,
    },
    conversations: {
      ...conversations,
      of: (session, chatId) => conversations.by("key", keyOf(session, chatId))[0],
      named: (name) => conversations.named(name),
      count: (session) => conversations.by("session", session).length,
    },
    messages: messagesOf,
    media: { ...media, of: (message) => media.by("parent", message) },
    clients: {
      ...clients,
      withExternalId: (externalId) => clients.by("externalId", externalId)[0],
      withNationalId: (nationalId) => clients.by("nationalId", nationalId),
    },
    aliases: {
      of: (session, id) => aliases.get(keyOf(session, id)),
      put: (session, from, into, position) => void aliases.set(keyOf(session, from), { into, position }),
    },
    isHeld: (session, id) =>
      contacts.by("key", keyOf(session, id)).length > 0 ||
      conversations.by("key", keyOf(session, id)).length > 0 ||
      messages.by("participant", keyOf(session, id)).length > 0 ||
      messagesOf.withReactionOf(session, id).length > 0,
  };
}
