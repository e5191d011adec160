/** How far back the hub knows a session, and the way from a message to its events. */
export const historyAndTrace = `
-- past: 0 nobody said, 1 the phone has older messages than we do, 2 there are none.
ALTER TABLE chat ADD COLUMN past INTEGER NOT NULL DEFAULT 0;
CREATE INDEX chat_past ON chat(session) WHERE past = 1;
-- complete: the import that began when the account was linked has come to its end.
CREATE TABLE history(session INTEGER PRIMARY KEY, complete INTEGER NOT NULL);
-- The event that told of the message; null for history. An index over the events would cost every message a page.
ALTER TABLE message ADD COLUMN event_seq INTEGER;
`;
