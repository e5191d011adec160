/** The audit log, which only grows at one end and is cut at the other; and why a session's state changed. */
export const audit = `
CREATE TABLE audit(
  n INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, actor_name TEXT, action TEXT NOT NULL, target TEXT,
  outcome TEXT NOT NULL, details TEXT NOT NULL,  -- JSON
  hash TEXT NOT NULL                             -- over the hash of the row before and this row
);
-- Where the chain begins and ends: the row before the oldest one kept, and the newest.
CREATE TABLE audit_chain(place TEXT PRIMARY KEY, n INTEGER NOT NULL, hash TEXT NOT NULL);
INSERT INTO audit_chain(place, n, hash) VALUES('cut', 0, '${"0".repeat(64)}'), ('head', 0, '${"0".repeat(64)}');
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_loses_only_what_is_cut BEFORE DELETE ON audit
WHEN OLD.n > (SELECT n FROM audit_chain WHERE place = 'cut')
BEGIN SELECT RAISE(ABORT, 'the audit log loses only what was cut'); END;

-- Code of the reason; empty when a change needed none.
ALTER TABLE timeline ADD COLUMN reason TEXT;
`;
