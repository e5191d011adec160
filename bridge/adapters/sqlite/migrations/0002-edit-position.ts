/** Where in the hub's count a message's text was edited: two edits within one second keep their order. */
export const editPosition = `
ALTER TABLE whatsapp_message ADD COLUMN edit_position INTEGER;
`;
