/**
 * The tables: one per document type with its fields, named by a number that is never used twice, and the natural keys
 * that keep whatever is written twice there once.
 */
export const records = `
CREATE TABLE whatsapp_session (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT AS (session_id) VIRTUAL,
  creation TEXT NOT NULL,
  modified TEXT NOT NULL,
  session_id TEXT NOT NULL,
  session_name TEXT,
  status TEXT,
  is_connected INTEGER NOT NULL DEFAULT 0,
  is_active INTEGER NOT NULL DEFAULT 0,
  phone_number TEXT,
  session_db_id INTEGER,
  last_seen TEXT,
  total_contacts INTEGER,
  total_chats INTEGER,
  total_conversations INTEGER,
  total_messages INTEGER,
  total_messages_sent INTEGER,
  total_messages_received INTEGER,
  last_sync TEXT,
  error_message TEXT,
  error_code TEXT,
  assigned_to TEXT,
  notes TEXT,
  position INTEGER
) STRICT;

CREATE TABLE whatsapp_contact (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT AS (printf('WACONT-%05d', n)) VIRTUAL,
  creation TEXT NOT NULL,
  modified TEXT NOT NULL,
  contact_id TEXT NOT NULL,
  session TEXT NOT NULL,
  phone_number TEXT,
  contact_name TEXT,
  pushname TEXT,
  short_name TEXT,
  verified_name TEXT,
  verified_level TEXT,
  about TEXT,
  lid TEXT,
  is_user INTEGER NOT NULL DEFAULT 0,
  is_group INTEGER NOT NULL DEFAULT 0,
  is_my_contact INTEGER NOT NULL DEFAULT 0,
  is_wa_contact INTEGER NOT NULL DEFAULT 0,
  is_blocked INTEGER NOT NULL DEFAULT 0,
  is_enterprise INTEGER NOT NULL DEFAULT 0,
  is_verified INTEGER NOT NULL DEFAULT 0,
  profile_pic_url TEXT,
  last_profile_pic_update TEXT,
  last_sync TEXT,
  sync_count INTEGER,
  sync_status TEXT,
  assigned_to TEXT,
  labels TEXT,
  tags TEXT,
  notes TEXT,
  priority TEXT,
  position INTEGER
) STRICT;

CREATE TABLE whatsapp_conversation (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT AS (printf('WACONV-%04d', n)) VIRTUAL,
  creation TEXT NOT NULL,
  modified TEXT NOT NULL,
  session TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  contact TEXT,
  contact_name TEXT,
  phone_number TEXT,
  status TEXT,
  is_group INTEGER NOT NULL DEFAULT 0,
  is_broadcast INTEGER NOT NULL DEFAULT 0,
  is_read_only INTEGER NOT NULL DEFAULT 0,
  is_archived INTEGER NOT NULL DEFAULT 0,
  is_pinned INTEGER NOT NULL DEFAULT 0,
  is_muted INTEGER NOT NULL DEFAULT 0,
  mute_expiration TEXT,
  unread_count INTEGER,
  total_messages INTEGER,
  last_message TEXT,
  last_message_time TEXT,
  last_message_from_me INTEGER NOT NULL DEFAULT 0,
  first_message_time TEXT,
  last_synced_at TEXT,
  last_remote_message_id TEXT,
  assigned_to TEXT,
  labels TEXT,
  tags TEXT,
  notes TEXT,
  priority TEXT,
  position INTEGER,
  last_message_position INTEGER,
  held INTEGER
) STRICT;

CREATE TABLE whatsapp_message (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT AS (printf('WAMSG-%05d', n)) VIRTUAL,
  creation TEXT NOT NULL,
  modified TEXT NOT NULL,
  message_id TEXT NOT NULL,
  session TEXT NOT NULL,
  conversation TEXT NOT NULL,
  contact TEXT,
  timestamp TEXT NOT NULL,
  direction TEXT,
  message_type TEXT,
  content TEXT,
  caption TEXT,
  status TEXT NOT NULL,
  sent_at TEXT,
  delivered_at TEXT,
  read_at TEXT,
  edited_at TEXT,
  deleted_at TEXT,
  from_number TEXT,
  to_number TEXT,
  participant TEXT NOT NULL,
  push_name TEXT,
  from_me INTEGER NOT NULL DEFAULT 0,
  is_forwarded INTEGER NOT NULL DEFAULT 0,
  is_starred INTEGER NOT NULL DEFAULT 0,
  is_reply INTEGER NOT NULL DEFAULT 0,
  quoted_message TEXT,
  quoted_message_id TEXT,
  has_reaction INTEGER NOT NULL DEFAULT 0,
  reaction TEXT,
  has_media INTEGER NOT NULL DEFAULT 0,
  details TEXT,
  error_message TEXT,
  labels TEXT,
  notes TEXT,
  position INTEGER,
  status_position INTEGER,
  reactions TEXT
) STRICT;

CREATE TABLE whatsapp_message_media (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT AS (printf('WAMEDIA-%05d', n)) VIRTUAL,
  creation TEXT NOT NULL,
  modified TEXT NOT NULL,
  parent TEXT NOT NULL,
  parenttype TEXT,
  parentfield TEXT,
  idx INTEGER,
  media_type TEXT,
  file TEXT,
  filename TEXT,
  filesize INTEGER,
  mimetype TEXT,
  url TEXT,
  remote_media_id TEXT,
  media_hash TEXT
) STRICT;

CREATE TABLE whatsapp_client (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT AS (printf('WACLIENT-%04d', n)) VIRTUAL,
  creation TEXT NOT NULL,
  modified TEXT NOT NULL,
  external_id TEXT NOT NULL,
  client_code TEXT,
  client_name TEXT,
  email TEXT,
  phone TEXT,
  address TEXT,
  zone TEXT,
  national_id TEXT,
  contact TEXT,
  synced_at TEXT,
  status TEXT,
  plan TEXT,
  role TEXT,
  assigned_to TEXT,
  notes TEXT
) STRICT;

CREATE UNIQUE INDEX whatsapp_session_name ON whatsapp_session(name);
CREATE UNIQUE INDEX whatsapp_session_key ON whatsapp_session(session_id);

CREATE UNIQUE INDEX whatsapp_contact_name ON whatsapp_contact(name);
CREATE UNIQUE INDEX whatsapp_contact_key ON whatsapp_contact(session, contact_id);
CREATE INDEX whatsapp_contact_phone ON whatsapp_contact(phone_number);

CREATE UNIQUE INDEX whatsapp_conversation_name ON whatsapp_conversation(name);
CREATE UNIQUE INDEX whatsapp_conversation_key ON whatsapp_conversation(session, chat_id);
CREATE INDEX whatsapp_conversation_recent ON whatsapp_conversation(session, last_message_time);

CREATE UNIQUE INDEX whatsapp_message_name ON whatsapp_message(name);
CREATE UNIQUE INDEX whatsapp_message_key ON whatsapp_message(conversation, message_id, from_me, participant);
CREATE INDEX whatsapp_message_in_chat ON whatsapp_message(conversation, timestamp);
CREATE INDEX whatsapp_message_in_session ON whatsapp_message(session, timestamp, from_me);
CREATE INDEX whatsapp_message_by_member ON whatsapp_message(session, participant) WHERE participant <> '';

CREATE UNIQUE INDEX whatsapp_message_media_name ON whatsapp_message_media(name);
CREATE INDEX whatsapp_message_media_parent ON whatsapp_message_media(parent);

CREATE UNIQUE INDEX whatsapp_client_name ON whatsapp_client(name);
CREATE UNIQUE INDEX whatsapp_client_key ON whatsapp_client(external_id);
CREATE INDEX whatsapp_client_national_id ON whatsapp_client(national_id);

-- Hidden ids and the person each turned out to be.
CREATE TABLE alias (
  session TEXT NOT NULL,
  from_id TEXT NOT NULL,
  into_id TEXT NOT NULL,
  PRIMARY KEY (session, from_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE proof (one INTEGER PRIMARY KEY CHECK (one = 1), at TEXT NOT NULL) STRICT;
`;
