/** When WhatsApp was last asked who somebody is, and what it told of groups beside their names. */
export const profilesAndGroups = `
-- 0: never, or something has changed since.
ALTER TABLE contact ADD COLUMN looked_up_at INTEGER NOT NULL DEFAULT 0;
-- details: JSON.
CREATE TABLE group_details(
  session INTEGER NOT NULL, jid TEXT NOT NULL, details TEXT NOT NULL, PRIMARY KEY(session, jid)
) WITHOUT ROWID;
`;
