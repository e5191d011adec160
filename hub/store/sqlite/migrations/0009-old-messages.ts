/** Messages that went for their age leave behind what must not be forgotten with them, and the bytes of their files. */
export const oldMessages = `
-- How many went. heard: somebody there wrote, written: we did and it left; both of messages that went.
ALTER TABLE chat ADD COLUMN removed_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN written INTEGER NOT NULL DEFAULT 0;
-- Files without a row of their own any more, whose bytes may still lie on the disk.
CREATE TABLE media_left(media_id TEXT PRIMARY KEY) WITHOUT ROWID;
`;
