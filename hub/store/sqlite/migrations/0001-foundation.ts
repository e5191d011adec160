/**
 * The tables of the first release. Times are Unix milliseconds unless a comment says otherwise; a message's `ts` is Unix
 * seconds, as WhatsApp gives it. Sessions are referred to by their integer; 0 is the hub itself.
 */
export const foundation = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE session(
  id INTEGER PRIMARY KEY AUTOINCREMENT,          -- never reused
  session_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,                                   -- JSON
  phone_number TEXT,
  lid TEXT,
  push_name TEXT,
  connected_at INTEGER, lost_at INTEGER,
  last_activity INTEGER NOT NULL, created_at INTEGER NOT NULL, deleted_at INTEGER,
  send_to_frappe INTEGER NOT NULL,
  settings TEXT NOT NULL                         -- JSON
);
CREATE TABLE timeline(
  n INTEGER PRIMARY KEY, session INTEGER NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX timeline_page ON timeline(session, n);

-- Credentials and Signal keys. Records reach several KB: a rowid table keeps its index small and lookups shallow.
CREATE TABLE auth_creds(session INTEGER PRIMARY KEY, v BLOB NOT NULL);
CREATE TABLE auth_key(
  session INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, v BLOB NOT NULL, UNIQUE(session, type, id)
);
CREATE TABLE quarantine(
  id TEXT PRIMARY KEY, session INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, creds BLOB
);
CREATE TABLE quarantine_key(quarantine TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, v BLOB NOT NULL);
CREATE INDEX quarantine_keys ON quarantine_key(quarantine);

-- What WhatsApp handed us. Arrival is (life of the process, order within it). state: 0 open, 1 done.
CREATE TABLE intake(
  n INTEGER PRIMARY KEY,
  session INTEGER NOT NULL,
  digest BLOB NOT NULL,
  life INTEGER NOT NULL, ord INTEGER NOT NULL,
  stanza_id TEXT NOT NULL, chat TEXT NOT NULL, participant TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  stanza BLOB,
  state INTEGER NOT NULL DEFAULT 0, done_at INTEGER,
  UNIQUE(session, digest)
);
CREATE INDEX intake_open ON intake(session, life, ord) WHERE state = 0;
CREATE INDEX intake_full ON intake(done_at) WHERE state = 1 AND stanza IS NOT NULL;
CREATE INDEX intake_bare ON intake(done_at) WHERE state = 1 AND stanza IS NULL;
CREATE TABLE intake_plain(
  intake INTEGER NOT NULL, enc_id BLOB NOT NULL, session INTEGER NOT NULL, v BLOB NOT NULL,
  PRIMARY KEY(intake, enc_id)
) WITHOUT ROWID;
CREATE INDEX intake_plain_id ON intake_plain(session, enc_id);

-- The two addresses of a person. One phone may have had several hidden ids.
CREATE TABLE lid(session INTEGER NOT NULL, lid TEXT NOT NULL, phone TEXT NOT NULL, PRIMARY KEY(session, lid)) WITHOUT ROWID;
CREATE INDEX lid_phone ON lid(session, phone);

CREATE TABLE contact(
  id INTEGER PRIMARY KEY,
  session INTEGER NOT NULL,
  jid TEXT NOT NULL,
  is_group INTEGER NOT NULL,
  name TEXT, push_name TEXT, verified_name TEXT, about TEXT, picture_token TEXT,
  is_my_contact INTEGER NOT NULL, is_blocked INTEGER NOT NULL, is_business INTEGER NOT NULL,
  sort_name TEXT NOT NULL,                       -- what pages are ordered by, cut short so that cursors stay short
  updated_at INTEGER NOT NULL,
  UNIQUE(session, jid)
);
CREATE INDEX contact_page ON contact(session, sort_name, id);

CREATE TABLE chat(
  id INTEGER PRIMARY KEY AUTOINCREMENT,          -- the conversationId of the contract
  session INTEGER NOT NULL,
  jid TEXT NOT NULL,
  name TEXT,
  unread_count INTEGER NOT NULL DEFAULT 0,
  message_count INTEGER NOT NULL DEFAULT 0,      -- kept by triggers
  archived INTEGER NOT NULL DEFAULT 0, pinned INTEGER NOT NULL DEFAULT 0,
  mute_expiration INTEGER NOT NULL DEFAULT 0, is_read_only INTEGER NOT NULL DEFAULT 0,
  first_at INTEGER,                              -- Unix seconds, as last_at
  last_at INTEGER NOT NULL DEFAULT 0,            -- 0: nothing yet
  last_message INTEGER, last_ts INTEGER NOT NULL DEFAULT 0, -- message.n and its ts
  updated_at INTEGER NOT NULL,
  UNIQUE(session, jid)
);
CREATE INDEX chat_page ON chat(session, last_at, id);

CREATE TABLE message(
  n INTEGER PRIMARY KEY,                         -- order of arrival: breaks ties of ts
  session INTEGER NOT NULL,
  chat INTEGER NOT NULL REFERENCES chat(id),
  id TEXT NOT NULL,
  from_me INTEGER NOT NULL,
  participant TEXT NOT NULL DEFAULT '',
  ts INTEGER NOT NULL,
  type TEXT NOT NULL,
  status INTEGER NOT NULL,
  content TEXT NOT NULL,
  rest TEXT NOT NULL,                            -- JSON: members nobody filters by
  reactions TEXT,                                -- JSON
  updated_at INTEGER NOT NULL
);
-- What makes a message that message. A chat belongs to one session; in this order it also finds a bare id.
CREATE UNIQUE INDEX message_key ON message(session, id, chat, from_me, participant);
CREATE INDEX message_chat ON message(chat, ts);
CREATE INDEX message_session ON message(session, ts);
CREATE INDEX message_updated ON message(session, updated_at);
-- Authors whose phone is unknown: few rows, found when the phone becomes known.
CREATE INDEX message_lid ON message(session, participant) WHERE substr(participant, -4) = '@lid';
-- WhatsApp's own proto is large and rarely read: apart, so that pages stay cheap.
CREATE TABLE message_raw(message INTEGER PRIMARY KEY, v BLOB NOT NULL);
-- Edits, revokes, reactions and statuses whose message has not come yet; \`fact\` is JSON.
CREATE TABLE early_change(
  n INTEGER PRIMARY KEY, session INTEGER NOT NULL, chat TEXT NOT NULL, id TEXT NOT NULL, fact TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE INDEX early_target ON early_change(session, chat, id);

-- Totals that lists show without counting. kind: 0 chats, 1 contacts, 2 unread, 10 + status: incoming, 20 + status: own.
CREATE TABLE tally(session INTEGER NOT NULL, kind INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(session, kind)) WITHOUT ROWID;
CREATE TRIGGER session_tally AFTER INSERT ON session BEGIN
  INSERT INTO tally SELECT new.id, value, 0 FROM json_each('[0,1,2,11,12,13,14,15,16,21,22,23,24,25,26]');
END;
CREATE TRIGGER message_counted AFTER INSERT ON message BEGIN
  UPDATE tally SET n = n + 1 WHERE session = new.session AND kind = 10 + 10 * new.from_me + new.status;
  UPDATE chat SET message_count = message_count + 1 WHERE id = new.chat;
END;
CREATE TRIGGER message_uncounted AFTER DELETE ON message BEGIN
  UPDATE tally SET n = n - 1 WHERE session = old.session AND kind = 10 + 10 * old.from_me + old.status;
  UPDATE chat SET message_count = message_count - 1 WHERE id = old.chat;
END;
CREATE TRIGGER message_status_counted AFTER UPDATE OF status ON message WHEN new.status <> old.status BEGIN
  UPDATE tally SET n = n - 1 WHERE session = old.session AND kind = 10 + 10 * old.from_me + old.status;
  UPDATE tally SET n = n + 1 WHERE session = new.session AND kind = 10 + 10 * new.from_me + new.status;
END;
CREATE TRIGGER message_moved AFTER UPDATE OF chat ON message WHEN new.chat <> old.chat BEGIN
  UPDATE chat SET message_count = message_count - 1 WHERE id = old.chat;
  UPDATE chat SET message_count = message_count + 1 WHERE id = new.chat;
END;
CREATE TRIGGER chat_counted AFTER INSERT ON chat BEGIN
  UPDATE tally SET n = n + 1 WHERE session = new.session AND kind = 0;
  UPDATE tally SET n = n + new.unread_count WHERE session = new.session AND kind = 2 AND new.unread_count <> 0;
END;
CREATE TRIGGER chat_uncounted AFTER DELETE ON chat BEGIN
  UPDATE tally SET n = n - 1 WHERE session = old.session AND kind = 0;
  UPDATE tally SET n = n - old.unread_count WHERE session = old.session AND kind = 2;
END;
CREATE TRIGGER unread_counted AFTER UPDATE OF unread_count ON chat WHEN new.unread_count <> old.unread_count BEGIN
  UPDATE tally SET n = n + new.unread_count - old.unread_count WHERE session = new.session AND kind = 2;
END;
CREATE TRIGGER contact_counted AFTER INSERT ON contact BEGIN
  UPDATE tally SET n = n + 1 WHERE session = new.session AND kind = 1;
END;
CREATE TRIGGER contact_uncounted AFTER DELETE ON contact BEGIN
  UPDATE tally SET n = n - 1 WHERE session = old.session AND kind = 1;
END;

-- Own messages on their way to WhatsApp; the row goes when WhatsApp answered.
CREATE TABLE outgoing(
  message INTEGER PRIMARY KEY, session INTEGER NOT NULL, send TEXT NOT NULL,
  accepted_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, relayed_at INTEGER
);
CREATE INDEX outgoing_session ON outgoing(session, message);
CREATE TRIGGER outgoing_answered AFTER UPDATE OF status ON message WHEN old.status = 1 AND new.status <> 1 BEGIN
  DELETE FROM outgoing WHERE message = new.n;
END;
CREATE TABLE idempotency(
  owner TEXT NOT NULL, route TEXT NOT NULL, key TEXT NOT NULL,
  body_hash TEXT NOT NULL, reserved_id TEXT NOT NULL, life INTEGER NOT NULL, at INTEGER NOT NULL,
  status INTEGER, body TEXT,                     -- the answer; null while the first call runs
  PRIMARY KEY(owner, route, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency(at);

CREATE TABLE media(
  media_id TEXT PRIMARY KEY, session INTEGER, message INTEGER, state TEXT NOT NULL,
  filename TEXT NOT NULL, filesize INTEGER NOT NULL, mimetype TEXT NOT NULL, sha256 TEXT, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX media_message ON media(message) WHERE message IS NOT NULL;
CREATE TABLE media_token(token TEXT PRIMARY KEY, media_id TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX media_tokens ON media_token(media_id);

-- The log of everything that happened. The bytes of \`body\` never change.
CREATE TABLE event(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  session INTEGER NOT NULL,
  chat TEXT,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX event_session ON event(session, seq);

CREATE TABLE endpoint(
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  settings TEXT NOT NULL,                        -- JSON: what no query looks at
  secret BLOB NOT NULL, previous_secret BLOB, previous_until INTEGER,
  state TEXT NOT NULL, breaker TEXT NOT NULL,    -- breaker: JSON
  failing_since INTEGER, last_success_at INTEGER, last_error TEXT,
  created_at INTEGER NOT NULL, removed_at INTEGER
);

-- Ordered queues: one per (endpoint, session, chat). pending counts what waits in line, next_at is when its head is due.
CREATE TABLE lane(
  id INTEGER PRIMARY KEY AUTOINCREMENT, endpoint INTEGER NOT NULL, key TEXT NOT NULL,
  pending INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL DEFAULT 0,
  UNIQUE(endpoint, key)
);
CREATE INDEX lane_due ON lane(endpoint, next_at) WHERE pending > 0;

-- state: 0 pending, 1 retrying, 2 delivered, 3 skipped, 4 dead, 5 dismissed. aside: waits outside its lane.
CREATE TABLE delivery(
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  event_seq INTEGER NOT NULL, endpoint INTEGER NOT NULL, lane INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0, aside INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  last_status INTEGER, last_error TEXT, failure TEXT,
  replay INTEGER NOT NULL DEFAULT 0, replayed_at INTEGER,
  done_at INTEGER,
  UNIQUE(event_seq, endpoint)
);
CREATE INDEX delivery_head ON delivery(lane, event_seq) WHERE state < 2 AND aside = 0;
CREATE INDEX delivery_aside ON delivery(endpoint, next_at) WHERE state < 2 AND aside = 1;
CREATE INDEX delivery_dead ON delivery(event_seq) WHERE state = 4;
CREATE TABLE delivery_tally(endpoint INTEGER NOT NULL, state INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(endpoint, state)) WITHOUT ROWID;
CREATE TRIGGER endpoint_tally AFTER INSERT ON endpoint BEGIN
  INSERT INTO delivery_tally SELECT new.n, value, 0 FROM json_each('[0,1,2,3,4,5]');
END;
CREATE TRIGGER delivery_counted AFTER INSERT ON delivery BEGIN
  UPDATE delivery_tally SET n = n + 1 WHERE endpoint = new.endpoint AND state = new.state;
END;
CREATE TRIGGER delivery_uncounted AFTER DELETE ON delivery BEGIN
  UPDATE delivery_tally SET n = n - 1 WHERE endpoint = old.endpoint AND state = old.state;
END;
CREATE TRIGGER delivery_state_counted AFTER UPDATE OF state ON delivery WHEN new.state <> old.state BEGIN
  UPDATE delivery_tally SET n = n - 1 WHERE endpoint = old.endpoint AND state = old.state;
  UPDATE delivery_tally SET n = n + 1 WHERE endpoint = new.endpoint AND state = new.state;
END;
CREATE TABLE attempt(
  id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, endpoint INTEGER NOT NULL, n INTEGER NOT NULL,
  at INTEGER NOT NULL, ms INTEGER NOT NULL, status INTEGER, error TEXT, response_head TEXT
);
CREATE INDEX attempt_log ON attempt(delivery, id);
-- How many deliveries arrived in each minute: the last hour without a scan.
CREATE TABLE delivered_minute(minute INTEGER NOT NULL, endpoint INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(minute, endpoint)) WITHOUT ROWID;

CREATE TABLE api_key(
  id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, previous_hash TEXT, previous_until INTEGER,
  expires_at INTEGER, created_at INTEGER NOT NULL,
  settings TEXT NOT NULL                         -- JSON: the rest
) WITHOUT ROWID;
CREATE INDEX api_key_previous ON api_key(previous_hash) WHERE previous_hash IS NOT NULL;
CREATE TABLE data_key(scope TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;
`;
