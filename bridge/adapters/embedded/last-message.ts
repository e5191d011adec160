/** Which message a chat shows as its last: a newer one only, told by a chat, a message or an edit. Pure. */
import type { Position } from "../../adapter.ts";
import type { ConversationRow } from "./doctypes.ts";
import { laterOf, mayOverwrite } from "./positions.ts";
import { preview } from "./text.ts";

export interface LastMessage {
  messageId: string;
  text: string | null;
  /** As rows keep it. */
  time: string;
  fromMe: boolean;
}

type LastFields = Pick<
  ConversationRow,
  | "last_message"
  | "last_message_time"
  | "last_message_from_me"
  | "last_remote_message_id"
  | "last_message_position"
>;

/** Empty when the chat keeps the one it shows. */
export function lastMessageFields(
  held: LastFields,
  told: LastMessage,
  position: Position,
): Partial<LastFields> {
  if (!isLater(held, told, position)) return {};
  return {
    last_message: preview(told.text),
    last_message_time: told.time,
    last_message_from_me: told.fromMe ? 1 : 0,
    last_remote_message_id: told.messageId,
    last_message_position: laterOf(held.last_message_position, position),
  };
}

function isLater(held: LastFields, told: LastMessage, position: Position): boolean {
  if (held.last_message_time === null || told.time > held.last_message_time) return true;
  if (told.time < held.last_message_time) return false;
  const mayReplace = mayOverwrite(held.last_message_position, position);
  // Of two messages in one second the one told later counts, and without positions the one that came later.
  return told.messageId === held.last_remote_message_id ? mayReplace : mayReplace || position === null;
}
