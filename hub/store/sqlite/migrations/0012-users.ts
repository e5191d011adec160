/** People who log in, how long each sign-in goes on, and what signs their access tokens. */
export const users = `
CREATE TABLE user(
  id TEXT PRIMARY KEY, identifier TEXT NOT NULL UNIQUE,
  password TEXT NOT NULL,                        -- JSON: scrypt's hash, salt and parameters
  settings TEXT NOT NULL,                        -- JSON: scopes and sessions
  created_at INTEGER NOT NULL, disabled_at INTEGER
) WITHOUT ROWID;
-- expires_at: of its newest token.
CREATE TABLE sign_in(id TEXT PRIMARY KEY, user TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX sign_in_user ON sign_in(user);
CREATE INDEX sign_in_end ON sign_in(expires_at);
-- Those that were used stay until their time is over: one that comes a second time is known for what it is.
CREATE TABLE refresh_token(
  hash TEXT PRIMARY KEY, sign_in TEXT NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER
) WITHOUT ROWID;
CREATE INDEX refresh_token_sign_in ON refresh_token(sign_in);
CREATE INDEX refresh_token_end ON refresh_token(expires_at);
CREATE TRIGGER user_removed AFTER DELETE ON user BEGIN
  DELETE FROM sign_in WHERE user = old.id;
END;
CREATE TRIGGER sign_in_ended AFTER DELETE ON sign_in BEGIN
  DELETE FROM refresh_token WHERE sign_in = old.id;
END;
CREATE TABLE token_secret(n INTEGER PRIMARY KEY CHECK(n = 1), sealed BLOB NOT NULL);
`;
