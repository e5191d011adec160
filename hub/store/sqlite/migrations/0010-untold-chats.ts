/** Chats whose unread count moved with a message that arrived, and whose `chat.updated` is still to be written. */
export const untoldChats = `
CREATE TABLE untold_chat(chat INTEGER PRIMARY KEY);
CREATE TRIGGER untold_chat_removed AFTER DELETE ON chat BEGIN
  DELETE FROM untold_chat WHERE chat = old.id;
END;
`;
