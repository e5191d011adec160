/**
 * People delete rows with other programs. A chat takes its messages with it and a message its files: else they stay beside
 * those that come back under a new name. What such deletions left behind before is made good: a message of no chat goes where it
 * came back (else it may be the only copy), and a contact that came back, or none, takes the place of one that is gone.
 */
export const rowsByHand = `
CREATE TRIGGER IF NOT EXISTS whatsapp_conversation_gone AFTER DELETE ON whatsapp_conversation
  BEGIN DELETE FROM whatsapp_message WHERE conversation = OLD.name; END;
CREATE TRIGGER IF NOT EXISTS whatsapp_message_gone AFTER DELETE ON whatsapp_message
  BEGIN
    DELETE FROM whatsapp_message_media WHERE parent = OLD.name;
    DELETE FROM hidden_reactor WHERE message = OLD.name;
  END;

DELETE FROM whatsapp_message WHERE conversation NOT IN (SELECT name FROM whatsapp_conversation)
  AND EXISTS(
    SELECT 1 FROM whatsapp_message m JOIN whatsapp_conversation v ON v.name = m.conversation
    WHERE m.session = whatsapp_message.session AND m.message_id = whatsapp_message.message_id
      AND m.from_me = whatsapp_message.from_me AND m.participant = whatsapp_message.participant);

UPDATE whatsapp_conversation SET contact = (
    SELECT c.name FROM whatsapp_contact c
    WHERE c.session = whatsapp_conversation.session AND c.contact_id = whatsapp_conversation.chat_id)
  WHERE contact NOT IN (SELECT name FROM whatsapp_contact);
UPDATE whatsapp_message SET contact = COALESCE(
    (SELECT c.name FROM whatsapp_contact c
     WHERE c.session = whatsapp_message.session AND c.contact_id = whatsapp_message.participant),
    (SELECT v.contact FROM whatsapp_conversation v WHERE v.name = whatsapp_message.conversation))
  WHERE contact NOT IN (SELECT name FROM whatsapp_contact);
`;
