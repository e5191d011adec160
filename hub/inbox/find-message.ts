/** The stored message a caller points at. */
import { HubError } from "../core/errors.ts";
import type { Message } from "../core/message.ts";
import type { InboxStore } from "../core/store.ts";
import { resolveRecipient } from "./recipient.ts";
import type { MessageTarget, Numbering } from "./send-request.ts";

export interface FindMessage extends MessageTarget {
  sessionId: string;
  numbering: Numbering;
}

/** @throws HubError MESSAGE_NOT_FOUND */
export async function findMessage(
  { sessionId, messageId, chatId, numbering }: FindMessage,
  inbox: Pick<InboxStore, "message" | "knows" | "addresses">,
): Promise<Message> {
  const chat =
    chatId === null
      ? undefined
      : await resolveRecipient({ sessionId, written: chatId, numbering, inbox, field: "chatId" });
  const found = await inbox.message(sessionId, messageId.replace(/^wamid\./, ""), chat);
  if (found === null) throw new HubError("MESSAGE_NOT_FOUND", "This message is not known in this session.");
  return found;
}
