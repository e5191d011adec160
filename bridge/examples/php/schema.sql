-- WhatsApp accounts, people, chats and messages, each unique by what names it in WhatsApp. Moments are Unix seconds.
-- `position` is the place in the hub's stream of events that a record shows. For SQLite; the Laravel example has the same
-- tables as a migration for any database.
CREATE TABLE IF NOT EXISTS inbox_sessions (
  id INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL UNIQUE,
  session_name TEXT, -- null while only chats of the account arrived
  status TEXT NOT NULL DEFAULT 'disconnected',
  state TEXT NOT NULL DEFAULT '',
  is_connected INTEGER NOT NULL DEFAULT 0,
  phone_number TEXT,
  hub_id INTEGER,
  last_activity TEXT,
  reason TEXT,
  total_contacts INTEGER NOT NULL DEFAULT 0,
  total_chats INTEGER NOT NULL DEFAULT 0,
  total_messages INTEGER NOT NULL DEFAULT 0,
  last_sync TEXT,
  writes INTEGER NOT NULL DEFAULT 0,
  position INTEGER
);
CREATE TABLE IF NOT EXISTS inbox_contacts (
  id INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL,
  contact_id TEXT NOT NULL,
  phone TEXT,
  name TEXT,
  pushname TEXT,
  short_name TEXT,
  verified_name TEXT,
  about TEXT,
  picture_url TEXT,
  is_user INTEGER NOT NULL DEFAULT 1,
  is_group INTEGER NOT NULL DEFAULT 0,
  is_my_contact INTEGER NOT NULL DEFAULT 0,
  is_blocked INTEGER NOT NULL DEFAULT 0,
  is_enterprise INTEGER NOT NULL DEFAULT 0,
  assigned_to TEXT, -- for the people who work here, like the next two
  priority TEXT,
  notes TEXT,
  position INTEGER,
  UNIQUE (session_id, contact_id)
);
CREATE TABLE IF NOT EXISTS inbox_aliases (
  id INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL,
  hidden_id TEXT NOT NULL,
  contact_id TEXT NOT NULL,
  UNIQUE (session_id, hidden_id)
);
CREATE TABLE IF NOT EXISTS inbox_chats (
  id INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  contact_id INTEGER REFERENCES inbox_contacts (id) ON DELETE SET NULL,
  name TEXT,
  is_group INTEGER NOT NULL DEFAULT 0,
  unread_count INTEGER NOT NULL DEFAULT 0,
  total_messages INTEGER NOT NULL DEFAULT 0,
  archived INTEGER NOT NULL DEFAULT 0,
  pinned INTEGER NOT NULL DEFAULT 0,
  is_muted INTEGER NOT NULL DEFAULT 0,
  first_message_at INTEGER,
  last_message_id TEXT,
  last_message_text TEXT,
  last_message_at INTEGER,
  last_message_from_me INTEGER NOT NULL DEFAULT 0,
  last_message_position INTEGER,
  status TEXT NOT NULL DEFAULT 'Active', -- what people make of it, like the next three
  assigned_to TEXT,
  priority TEXT,
  notes TEXT,
  position INTEGER,
  UNIQUE (session_id, chat_id)
);
CREATE TABLE IF NOT EXISTS inbox_messages (
  id INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL,
  chat_id INTEGER NOT NULL REFERENCES inbox_chats (id) ON DELETE CASCADE,
  message_id TEXT NOT NULL,
  from_me INTEGER NOT NULL,
  participant TEXT NOT NULL DEFAULT '', -- the author in a group: two members may use one message id
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  push_name TEXT,
  type TEXT NOT NULL,
  content TEXT NOT NULL,
  media TEXT,
  details TEXT,
  timestamp INTEGER NOT NULL,
  quoted_message_id TEXT,
  is_starred INTEGER NOT NULL DEFAULT 0,
  is_forwarded INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  status_at INTEGER,
  status_position INTEGER,
  error TEXT,
  edited_at INTEGER,
  edit_position INTEGER,
  deleted_at INTEGER,
  reactions TEXT NOT NULL DEFAULT '[]',
  position INTEGER,
  UNIQUE (chat_id, message_id, from_me, participant)
);
CREATE INDEX IF NOT EXISTS inbox_messages_of_a_session ON inbox_messages (session_id, participant);
CREATE INDEX IF NOT EXISTS inbox_messages_of_a_chat ON inbox_messages (chat_id, timestamp);
CREATE TABLE IF NOT EXISTS inbox_clients (
  id INTEGER PRIMARY KEY,
  external_id TEXT NOT NULL UNIQUE,
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT,
  address TEXT,
  zone TEXT,
  national_id TEXT
);
CREATE INDEX IF NOT EXISTS inbox_clients_by_national_id ON inbox_clients (national_id);
