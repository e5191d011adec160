/**
 * Clients that people enter have no external id until the directory knows them: any number of them may have none, be it
 * NULL or an empty text. The column's old rule is taken out of the schema itself, in the way that SQLite describes: copying
 * the table instead would lose what others have added to it, columns, triggers and views.
 */
export const clientsByHand = `
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'external_id TEXT NOT NULL', 'external_id TEXT')
  WHERE type = 'table' AND name = 'whatsapp_client';
PRAGMA writable_schema = RESET;
DROP INDEX IF EXISTS whatsapp_client_key;
CREATE UNIQUE INDEX whatsapp_client_key ON whatsapp_client(external_id) WHERE external_id <> '';
`;
