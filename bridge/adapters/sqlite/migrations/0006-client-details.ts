/** What a directory notes of a client. */
export const clientDetails = `
ALTER TABLE whatsapp_client ADD COLUMN details TEXT;
`;
