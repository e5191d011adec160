/** What comes after the record that names it finds that record: an answer is linked to what it answers. */
export const lateLinks = `
CREATE INDEX IF NOT EXISTS whatsapp_message_answers ON whatsapp_message(conversation, quoted_message_id)
  WHERE quoted_message_id IS NOT NULL;
`;
