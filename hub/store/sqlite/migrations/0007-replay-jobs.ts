/** Orders to send many deliveries again outlive the process that took them. */
export const replayJobs = `
-- One for each filter (JSON) at a time; the row goes when all is done. position: deliveries up to this number are dealt with;
-- last: those made later are not meant. It takes the place of delivery.replayed_at, which nobody reads any more.
CREATE TABLE replay_job(
  id TEXT PRIMARY KEY, filter TEXT NOT NULL UNIQUE,
  position INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL, replayed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
`;
