/** Who reacted under a hidden id: they may be known by nothing else, and their phone is told when it becomes known. */
export const hiddenReactors = `
CREATE TABLE hidden_reactor(session INTEGER NOT NULL, lid TEXT NOT NULL, PRIMARY KEY(session, lid)) WITHOUT ROWID;
INSERT OR IGNORE INTO hidden_reactor
  SELECT m.session, r.value ->> '$.from' FROM message m CROSS JOIN json_each(m.reactions) r
  WHERE m.reactions IS NOT NULL AND substr(r.value ->> '$.from', -4) = '@lid';
DELETE FROM hidden_reactor WHERE (session, lid) IN (SELECT session, lid FROM lid);
`;
