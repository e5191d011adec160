/** Files of no message are found by their age: uploads that nobody sent. */
export const uploads = `
CREATE INDEX media_upload ON media(created_at) WHERE message IS NULL;
`;
