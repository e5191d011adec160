/** Who shall be looked up at WhatsApp in the hub's own time, and whom it was asked about, also in vain. */
export const lookUps = `
-- When WhatsApp was last asked, answered or not; 0 as for looked_up_at.
ALTER TABLE contact ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;
UPDATE contact SET asked_at = looked_up_at WHERE looked_up_at > 0;
-- most: how many of the most recently active contacts it is about; null: all.
CREATE TABLE look_up(session INTEGER PRIMARY KEY, most INTEGER);
-- How many questions left on the day with this number: contacts come, go and change, and what was asked about them stays asked.
CREATE TABLE look_up_day(session INTEGER PRIMARY KEY, day INTEGER NOT NULL, n INTEGER NOT NULL);
`;
