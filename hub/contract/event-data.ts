/** What `data` of each event holds, as schemas: the promise behind the events the hub makes, and what receivers parse with. */
import { z } from "zod";
import { EVENT_NAMES, type EventName } from "./events.ts";
import {
  chatSchema,
  cleanupStepSchema,
  contactSchema,
  mediaSchema,
  messageSchema,
  messageStatusSchema,
  sessionSchema,
} from "./resources.ts";

const seconds = messageSchema.shape.timestamp;
const address = messageSchema.shape.from;

/** A message inside an event: plain ids, and members that say nothing are left out. */
export const messageEventSchema = messageSchema
  .pick({
    messageId: true,
    whatsappMessageId: true,
    content: true,
    body: true,
    chatId: true,
    from: true,
    to: true,
    fromMe: true,
    isGroup: true,
    timestamp: true,
    type: true,
  })
  .extend({
    id: z.string(),
    has_attachment: z.boolean(),
    media: mediaSchema.omit({ mediaId: true }).nullable(),
    /** Of own messages only: what others wrote has been delivered, to us. */
    status: messageStatusSchema.optional(),
    participant: address.optional(),
    pushName: address.optional(),
    caption: z.string().optional(),
    quotedMessageId: z.string().optional(),
    conversationId: z.int().optional(),
    location: messageSchema.shape.location.unwrap().optional(),
    contacts: messageSchema.shape.contacts.unwrap().optional(),
    poll: messageSchema.shape.poll.unwrap().optional(),
    isForwarded: z.literal(true).optional(),
    unknownKind: z.string().optional(),
  })
  .meta({ id: "MessageEvent" });

/** `truncated`: texts were cut to fit, and `href` says where the whole can be read. */
const dataOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object({
    sessionId: z.string(),
    session_db_id: z.int(),
    truncated: z.literal(true).optional(),
    href: z.string().optional(),
    ...shape,
  });

const aboutMessage = { messageId: z.string(), chatId: address };
/** Whose message it is about: several may have one id. Events from before it was told are without. */
const target = z.object({ fromMe: z.boolean(), participant: address.optional() }).optional();
const archived = dataOf({ chatId: address, isArchived: z.boolean() });
const session = sessionSchema.shape;

export const ALERT_CAUSES = [
  "not_reconnecting",
  "logged_out",
  "replaced",
  "banned",
  "outdated",
  "passkey_required",
  "login_unusable",
  "nothing_heard",
  "messages_unreadable",
  "endpoint_failing",
  "endpoint_paused",
  "events_parked",
  "store_down",
  "disk_low",
  "overloaded",
  "backup_failed",
  "drill_failed",
  "backup_overdue",
  "drill_overdue",
] as const;
const alertCauseSchema = z.enum(ALERT_CAUSES);

export const EVENT_DATA = {
  "message.received": dataOf({ message: messageEventSchema }),
  "message.reaction": dataOf({
    messageId: z.string(),
    emoji: z.string(),
    from: address,
    removed: z.boolean(),
    message: z.object({
      chatId: address,
      reactionMessage: z.object({
        key: z.object({ id: z.string(), fromMe: z.boolean(), remoteJid: address }),
        text: z.string(),
        senderTimestampMs: z.int(),
      }),
    }),
    target,
  }),
  "message.sent": dataOf({
    ...aboutMessage,
    status: z.literal("sent"),
    message: z.object({ messageId: z.string(), id: z.string() }),
    ack: z.int(),
    timestamp: seconds,
  }),
  "message.delivered": dataOf({
    ...aboutMessage,
    status: z.literal("delivered"),
    ack: z.int(),
    deliveredAt: seconds,
    participant: address.optional(),
  }),
  "message.read": dataOf({
    ...aboutMessage,
    status: z.literal("read"),
    ack: z.int(),
    readAt: seconds,
    participant: address.optional(),
  }),
  "message.failed": dataOf({
    ...aboutMessage,
    status: z.literal("failed"),
    ack: z.int(),
    code: z.string(),
    error: z.string(),
    /** What helps, in English and in Spanish, where something does. */
    advice: z.string().optional(),
    adviceEs: z.string().optional(),
  }),
  "message.edited": dataOf({
    ...aboutMessage,
    content: z.string(),
    editedAt: seconds,
    message: messageEventSchema,
  }),
  "message.updated": dataOf({ ...aboutMessage, message: messageEventSchema }),
  "message.deleted": dataOf({
    ...aboutMessage,
    deletedBy: address,
    deletedAt: seconds,
    forEveryone: z.boolean(),
    target,
  }),
  "chat.updated": dataOf({ chatId: address, conversationId: z.int(), chat: chatSchema }),
  "chat.archived": archived,
  "chat.unarchived": archived,
  "contact.updated": dataOf({ contact: contactSchema }),
  "contact.merged": dataOf({ from: address, into: address, conversationId: z.int().nullable() }),
  "group.updated": dataOf({
    groupId: address,
    /** What the hub knows of it; what WhatsApp did not tell so far is left out. */
    group: z.object({
      id: address,
      subject: z.string().nullable(),
      description: z.string().nullable().optional(),
      owner: address.optional(),
      createdAt: seconds.optional(),
      announce: z.boolean().optional(),
      restrict: z.boolean().optional(),
      ephemeralSeconds: z.int().optional(),
    }),
    by: address.nullable(),
  }),
  "group.participants": dataOf({
    groupId: address,
    action: z.enum(["add", "remove", "promote", "demote"]),
    participants: z.array(address),
    by: address.nullable(),
  }),
  "call.received": dataOf({
    callId: z.string(),
    from: address,
    isVideo: z.boolean(),
    isGroup: z.boolean(),
    status: z.string(),
    timestamp: seconds,
  }),
  "session.connected": dataOf({
    status: session.status,
    isConnected: z.literal(true),
    phoneNumber: session.phoneNumber,
    pushName: session.pushName,
    timestamp: seconds,
    previousState: z.string(),
    downSeconds: z.int(),
  }),
  "session.disconnected": dataOf({
    status: session.status,
    isConnected: z.literal(false),
    state: z.string(),
    phoneNumber: session.phoneNumber,
    reason: session.reason,
    willRetry: z.boolean(),
    timestamp: seconds,
  }),
  // Counting unread chats is not part of telling a state.
  "session.status": dataOf({
    ...sessionSchema.omit({ unreadCount: true }).shape,
    /** Name of the key, or id of the user, who ordered the connection that begins. Who ended one is in its `reason`. */
    by: z.string().optional(),
  }),
  "session.qr": dataOf({ status: z.literal("qr_code"), qrCode: z.string(), expiresAt: z.iso.datetime() }),
  "session.cleanup": dataOf({
    mode: z.enum(["soft", "quarantine", "retire"]),
    quarantineId: z.string().nullable(),
    undoUntil: z.iso.datetime().nullable(),
    steps: z.array(cleanupStepSchema),
  }),
  // Of session `_hub` when it is about no single session.
  "session.alert": dataOf({
    status: session.status,
    state: z.string().nullable(),
    cause: alertCauseSchema,
    /** Told when it begins, each day while it lasts, and when it is over. */
    phase: z.enum(["began", "lasts", "ended"]),
    since: seconds,
    text: z.string(),
    textEs: z.string(),
    advice: z.string(),
    adviceEs: z.string(),
    endpointId: z.string().optional(),
    timestamp: seconds,
  }),
  "session.restricted": dataOf({
    status: session.status,
    isConnected: z.boolean(),
    /** False: it is over. */
    restricted: z.boolean(),
    /** Null while it is restricted: WhatsApp does not say until when. */
    until: z.iso.datetime().nullable(),
    /** Messages to strangers wait until then; a guess where WhatsApp does not say. */
    heldUntil: z.iso.datetime().nullable(),
    /** WhatsApp's own word for the kind; new ones appear. */
    type: z.string().nullable(),
    text: z.string(),
    textEs: z.string(),
    advice: z.string().nullable(),
    adviceEs: z.string().nullable(),
    timestamp: seconds,
  }),
  "history.synced": dataOf({
    oldest: seconds.nullable(),
    newest: seconds.nullable(),
    chats: z.int(),
    messages: z.int(),
    complete: z.boolean(),
  }),
  "bot.status": dataOf({
    enabled: z.boolean(),
    reason: z.string().nullable(),
    /** Label of the API client that said so. */
    by: z.string().nullable(),
    timestamp: seconds,
  }),
  "delivery.dead": dataOf({
    deliveryId: z.string(),
    endpointId: z.string(),
    eventId: z.string(),
    seq: z.int(),
    chatId: z.string().nullable(),
    error: z.string(),
  }),
  "endpoint.test": dataOf({ hello: z.literal(true) }),
} as const satisfies Record<EventName, z.ZodObject>;

export type EventData<Name extends EventName> = z.output<(typeof EVENT_DATA)[Name]>;
export type MessageEvent = z.output<typeof messageEventSchema>;

/** The same table, written so that a name and its type stay together. */
const SCHEMAS: { [Name in EventName]: z.ZodType<EventData<Name>> } = EVENT_DATA;

/** Null when it is not what the contract says. */
export function parseEventData<Name extends EventName>(name: Name, data: unknown): EventData<Name> | null {
  const result = SCHEMAS[name].safeParse(data);
  return result.success ? result.data : null;
}

export const isEventName = (name: string): name is EventName => EVENT_NAMES.some((known) => known === name);
