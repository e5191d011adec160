/** A message that could not be read, and what takes its place when the content comes after all. */
import { UNDECRYPTABLE, type Message } from "./message.ts";

/**
 * The message in the place of its stand-in: the same moment in the chat, and what came meanwhile (an edit, reactions, that it
 * was read) stays. Null when `before` is no stand-in, `whole` is another one, or it was revoked meanwhile.
 */
export function healed(before: Message, whole: Message): Message | null {
  const isMissing = before.unknownKind === UNDECRYPTABLE && before.status !== "deleted";
  if (!isMissing || whole.unknownKind === UNDECRYPTABLE) return null;
  const { timestamp, status, isPlayed, reactions, editedAt, content } = before;
  const message = { ...whole, timestamp, status, isPlayed, reactions };
  if (editedAt === null) return message;
  return { ...message, content, caption: whole.caption === null ? null : content, editedAt };
}
