/**
 * People delete rows with other programs. A chat takes its messages with it and a message its files: else they stay beside
 * those that come back under a new name. What such deletions left behind before is made good: a message of no chat goes where it
 * came back (else it may be the only copy), and a contact that came back, or none, takes the place of one that is gone.
 * The start waits for it: the lost messages are gathered once, and all others are looked at once beside them (CROSS JOIN keeps
 * SQLite to that order). No index has a message's key without its chat, so asking for each lost one would read all each time.
 */
export const rowsByHand = `
CREATE TRIGGER IF NOT EXISTS whatsapp_conversation_gone AFTER DELETE ON whatsapp_conversation
  BEGIN DELETE FROM whatsapp_message WHERE conversation = OLD.name; END;
CREATE TRIGGER IF NOT EXISTS whatsapp_message_gone AFTER DELETE ON whatsapp_message
  BEGIN
    DELETE FROM whatsapp_message_media WHERE parent = OLD.name;
    DELETE FROM hidden_reactor WHERE message = OLD.name;
  END;

WITH lost AS MATERIALIZED (
    SELECT n, session, message_id, from_me, participant FROM whatsapp_message
    WHERE conversation NOT IN (SELECT name FROM whatsapp_conversation))
DELETE FROM whatsapp_message WHERE n IN (
    SELECT lost.n FROM whatsapp_message m JOIN whatsapp_conversation v ON v.name = m.conversation
    CROSS JOIN lost ON lost.session = m.session AND lost.message_id = m.message_id
      AND lost.from_me = m.from_me AND lost.participant = m.participant);

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
