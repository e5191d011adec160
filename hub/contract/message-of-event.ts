/** A message as lists show it, made from one inside an event: for receivers that keep both the same way. */
import type { z } from "zod";
import type { MessageEvent } from "./event-data.ts";
import { ACK, type MessageStatus } from "./message-status.ts";
import type { messageSchema } from "./resources.ts";

/**
 * What the event does not tell stands as "not known": `conversationId` 0, an empty `mediaId`, no star. An own message
 * without a status is taken for the lowest, because a status can only rise afterwards.
 */
export function messageOfEvent(
  sessionId: string,
  { media, has_attachment, ...event }: MessageEvent,
): z.infer<typeof messageSchema> {
  const status: MessageStatus = event.status ?? (event.fromMe ? "pending" : "delivered");
  return {
    id: { _serialized: event.messageId },
    messageId: event.messageId,
    whatsappMessageId: event.whatsappMessageId,
    sessionId,
    chatId: event.chatId,
    conversationId: event.conversationId ?? 0,
    from: event.from,
    to: event.to,
    participant: orNull(event.participant),
    pushName: orNull(event.pushName),
    fromMe: event.fromMe,
    isGroup: event.isGroup,
    type: event.type,
    body: event.body,
    content: event.content,
    caption: orNull(event.caption),
    hasMedia: has_attachment,
    media: media === null ? null : { mediaId: "", ...media },
    status,
    ack: ACK[status],
    timestamp: event.timestamp,
    timestampIso: new Date(event.timestamp * 1000).toISOString(),
    quotedMessageId: orNull(event.quotedMessageId),
    isForwarded: event.isForwarded ?? false,
    isStarred: false,
    editedAt: null,
    deletedAt: null,
    reactions: [],
    location: orNull(event.location),
    contacts: orNull(event.contacts),
    poll: orNull(event.poll),
    unknownKind: orNull(event.unknownKind),
  };
}

const orNull = <T>(value: T | undefined): T | null => value ?? null;
