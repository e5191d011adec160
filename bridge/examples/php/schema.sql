-- WhatsApp accounts, people, chats and messages, each unique by what names it in WhatsApp. Moments are Unix seconds.
-- `position` is the place in the hub's stream of events that a record shows; it needs 64 bits. For SQLite, which holds to a
-- length only where it is checked; the Laravel example has the same tables as a migration for any database.
CREATE TABLE IF NOT EXISTS inbox_sessions (
  id INTEGER PRIMARY KEY,
  session_id VARCHAR(100) NOT NULL UNIQUE CHECK (length(session_id) <= 100),
  session_name VARCHAR(255) CHECK (length(session_name) <= 255), -- null while only chats of the account arrived
  status VARCHAR(20) NOT NULL DEFAULT 'disconnected' CHECK (length(status) <= 20),
  state VARCHAR(40) NOT NULL DEFAULT '' CHECK (length(state) <= 40),
  is_connected INTEGER NOT NULL DEFAULT 0,
  phone_number VARCHAR(40) CHECK (length(phone_number) <= 40),
  hub_id INTEGER,
  last_activity VARCHAR(40) CHECK (length(last_activity) <= 40),
  reason TEXT,
  total_contacts INTEGER NOT NULL DEFAULT 0,
  total_chats INTEGER NOT NULL DEFAULT 0,
  total_messages INTEGER NOT NULL DEFAULT 0,
  last_sync VARCHAR(40) CHECK (length(last_sync) <= 40),
  writes BIGINT NOT NULL DEFAULT 0,
  position BIGINT
);
CREATE TABLE IF NOT EXISTS inbox_contacts (
  id INTEGER PRIMARY KEY,
  session_id VARCHAR(100) NOT NULL CHECK (length(session_id) <= 100),
  contact_id VARCHAR(140) NOT NULL CHECK (length(contact_id) <= 140),
  phone VARCHAR(40) CHECK (length(phone) <= 40),
  name VARCHAR(140) CHECK (length(name) <= 140),
  pushname VARCHAR(140) CHECK (length(pushname) <= 140),
  short_name VARCHAR(140) CHECK (length(short_name) <= 140),
  verified_name VARCHAR(140) CHECK (length(verified_name) <= 140),
  about TEXT,
  picture_url VARCHAR(140) CHECK (length(picture_url) <= 140),
  is_user INTEGER NOT NULL DEFAULT 1,
  is_group INTEGER NOT NULL DEFAULT 0,
  is_my_contact INTEGER NOT NULL DEFAULT 0,
  is_blocked INTEGER NOT NULL DEFAULT 0,
  is_enterprise INTEGER NOT NULL DEFAULT 0,
  assigned_to VARCHAR(140) CHECK (length(assigned_to) <= 140), -- for the people who work here, like the next two
  priority VARCHAR(20) CHECK (length(priority) <= 20),
  notes TEXT,
  position BIGINT,
  UNIQUE (session_id, contact_id)
);
CREATE TABLE IF NOT EXISTS inbox_aliases (
  id INTEGER PRIMARY KEY,
  session_id VARCHAR(100) NOT NULL CHECK (length(session_id) <= 100),
  hidden_id VARCHAR(140) NOT NULL CHECK (length(hidden_id) <= 140),
  contact_id VARCHAR(140) NOT NULL CHECK (length(contact_id) <= 140),
  UNIQUE (session_id, hidden_id)
);
CREATE TABLE IF NOT EXISTS inbox_chats (
  id INTEGER PRIMARY KEY,
  session_id VARCHAR(100) NOT NULL CHECK (length(session_id) <= 100),
  chat_id VARCHAR(140) NOT NULL CHECK (length(chat_id) <= 140),
  contact_id INTEGER REFERENCES inbox_contacts (id) ON DELETE SET NULL,
  name VARCHAR(140) CHECK (length(name) <= 140),
  is_group INTEGER NOT NULL DEFAULT 0,
  unread_count INTEGER NOT NULL DEFAULT 0,
  total_messages INTEGER NOT NULL DEFAULT 0,
  archived INTEGER NOT NULL DEFAULT 0,
  pinned INTEGER NOT NULL DEFAULT 0,
  is_muted INTEGER NOT NULL DEFAULT 0,
  first_message_at BIGINT,
  last_message_id VARCHAR(140) CHECK (length(last_message_id) <= 140),
  last_message_text TEXT,
  last_message_at BIGINT,
  last_message_from_me INTEGER NOT NULL DEFAULT 0,
  last_message_position BIGINT,
  status VARCHAR(20) NOT NULL DEFAULT 'Active' CHECK (length(status) <= 20), -- what people make of it, like the next three
  assigned_to VARCHAR(140) CHECK (length(assigned_to) <= 140),
  priority VARCHAR(20) CHECK (length(priority) <= 20),
  notes TEXT,
  position BIGINT,
  UNIQUE (session_id, chat_id)
);
CREATE TABLE IF NOT EXISTS inbox_messages (
  id INTEGER PRIMARY KEY,
  session_id VARCHAR(100) NOT NULL CHECK (length(session_id) <= 100),
  chat_id INTEGER NOT NULL REFERENCES inbox_chats (id) ON DELETE CASCADE,
  message_id VARCHAR(140) NOT NULL CHECK (length(message_id) <= 140),
  from_me INTEGER NOT NULL,
  participant VARCHAR(140) NOT NULL DEFAULT '' CHECK (length(participant) <= 140), -- the author in a group: two members may use one message id
  sender VARCHAR(140) NOT NULL CHECK (length(sender) <= 140),
  recipient VARCHAR(140) NOT NULL CHECK (length(recipient) <= 140),
  push_name VARCHAR(140) CHECK (length(push_name) <= 140),
  type VARCHAR(20) NOT NULL CHECK (length(type) <= 20),
  content TEXT NOT NULL,
  media TEXT,
  details TEXT,
  timestamp BIGINT NOT NULL,
  quoted_message_id VARCHAR(140) CHECK (length(quoted_message_id) <= 140),
  is_starred INTEGER NOT NULL DEFAULT 0,
  is_forwarded INTEGER NOT NULL DEFAULT 0,
  status VARCHAR(20) NOT NULL CHECK (length(status) <= 20),
  status_at BIGINT,
  status_position BIGINT,
  error TEXT,
  edited_at BIGINT,
  edit_position BIGINT,
  deleted_at BIGINT,
  reactions TEXT NOT NULL DEFAULT '[]',
  position BIGINT,
  UNIQUE (chat_id, message_id, from_me, participant)
);
CREATE INDEX IF NOT EXISTS inbox_messages_of_a_session ON inbox_messages (session_id, participant);
CREATE INDEX IF NOT EXISTS inbox_messages_of_a_chat ON inbox_messages (chat_id, timestamp);
-- Which messages somebody reacted to under a hidden id; a row goes when that gets its number.
CREATE TABLE IF NOT EXISTS inbox_reactors (
  id INTEGER PRIMARY KEY,
  session_id VARCHAR(100) NOT NULL CHECK (length(session_id) <= 100),
  hidden_id VARCHAR(140) NOT NULL CHECK (length(hidden_id) <= 140),
  message_id INTEGER NOT NULL REFERENCES inbox_messages (id) ON DELETE CASCADE,
  UNIQUE (session_id, hidden_id, message_id)
);
CREATE INDEX IF NOT EXISTS inbox_reactors_of_a_message ON inbox_reactors (message_id);
CREATE TABLE IF NOT EXISTS inbox_clients (
  id INTEGER PRIMARY KEY,
  external_id VARCHAR(140) UNIQUE CHECK (length(external_id) <= 140), -- null while no directory knows the client
  code VARCHAR(140) NOT NULL CHECK (length(code) <= 140),
  name VARCHAR(140) NOT NULL CHECK (length(name) <= 140),
  email VARCHAR(255) NOT NULL CHECK (length(email) <= 255),
  phone VARCHAR(40) CHECK (length(phone) <= 40),
  address TEXT,
  zone TEXT,
  national_id VARCHAR(140) CHECK (length(national_id) <= 140)
);
CREATE INDEX IF NOT EXISTS inbox_clients_by_national_id ON inbox_clients (national_id);
