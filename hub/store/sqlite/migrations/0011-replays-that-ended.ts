/** Orders to send many deliveries again are kept when they are done, too: whoever gave one sees what became of it. */
export const replaysThatEnded = `
-- One for each filter (JSON) at a time; the newest that ended are kept. position: deliveries up to this number are dealt with;
-- last: those made later are not meant; matched: how many there were before anything moved. Of those from before this step
-- neither that nor their beginning is known.
ALTER TABLE replay_job RENAME TO replay_job_before;
CREATE TABLE replay_job(
  id TEXT PRIMARY KEY, filter TEXT NOT NULL, position INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL,
  matched INTEGER NOT NULL, replayed INTEGER NOT NULL DEFAULT 0, started_at INTEGER NOT NULL, finished_at INTEGER
) WITHOUT ROWID;
INSERT INTO replay_job(id, filter, position, last, matched, replayed, started_at)
  SELECT id, filter, position, last, replayed, replayed, CAST(strftime('%s') AS INTEGER) * 1000 FROM replay_job_before;
DROP TABLE replay_job_before;
CREATE UNIQUE INDEX replay_job_filter ON replay_job(filter) WHERE finished_at IS NULL;
`;
