/**
 * What comes after the record that names it finds that record: an answer by what it answers, a reaction by the hidden id that
 * got its number.
 */

/** Few: whoever has a number is kept under it. */
export const HIDDEN_REACTIONS = `instr(reactions, 'lid"') > 0`;

export const lateLinks = `
CREATE INDEX IF NOT EXISTS whatsapp_message_answers ON whatsapp_message(conversation, quoted_message_id)
  WHERE quoted_message_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS whatsapp_message_hidden_reactions ON whatsapp_message(session) WHERE ${HIDDEN_REACTIONS};
`;
