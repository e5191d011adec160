/** Who reacted under a hidden id, and to what: when the id gets its number, no other message is looked at. */
export const hiddenReactors = `
CREATE TABLE IF NOT EXISTS hidden_reactor (
  session TEXT NOT NULL,
  lid TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (session, lid, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS hidden_reactor_message ON hidden_reactor(message);
INSERT OR IGNORE INTO hidden_reactor
  SELECT m.session, json_extract(r.value, '$.from'), m.name
  FROM whatsapp_message m CROSS JOIN json_each(m.reactions) r
  WHERE m.reactions IS NOT NULL AND substr(json_extract(r.value, '$.from'), -4) = '@lid';
`;
