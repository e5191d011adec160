/**
 * What is known of a login beside its sealed bytes: which one it is, how often it was replaced, and how far its keys have
 * moved on. A copy from yesterday is told from today's login by it, and one login cannot lie in two sessions.
 */
export const logins = `
-- fp: hash of the login's public key; null while there is none. gen grows whenever a login is replaced or taken out of use,
-- key_version with every write of keys. stale: 0 as WhatsApp knows it, 1 older than what was used since, 2 replaced since.
CREATE TABLE login(
  session INTEGER PRIMARY KEY, fp TEXT,
  gen INTEGER NOT NULL DEFAULT 0, key_version INTEGER NOT NULL DEFAULT 0, stale INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX login_fp ON login(fp) WHERE fp IS NOT NULL;
ALTER TABLE quarantine ADD COLUMN fp TEXT;
ALTER TABLE quarantine ADD COLUMN undo_until INTEGER; -- null: never to be brought back
CREATE INDEX quarantine_session ON quarantine(session, at);
`;
