/** The resources CRMs see, as schemas: the promise behind `core/present.ts`, the OpenAPI page and the bridge's types. */
import { z } from "zod";

const isoTime = z.iso.datetime();
const seconds = z.int().describe("Unix seconds");
/** Receivers keep these in columns of 140 characters. */
const column = z.string().max(140);

/** Names that are routes, and one under which a CRM's programming language can keep nothing. */
const RESERVED_SESSION_IDS = ["stats", "frappe", "health", "_hub", "__proto__"];

export const sessionIdSchema = z
  .string("give the session a sessionId")
  .regex(/^[a-zA-Z0-9_-]{1,100}$/, "use 1 to 100 letters, digits, _ and -")
  .refine((id) => !/^\d+$/.test(id), "must not consist of digits only")
  .refine((id) => !RESERVED_SESSION_IDS.includes(id), "is a reserved word");

export const sessionStatusSchema = z.enum(["connected", "connecting", "qr_code", "disconnected", "error"]);

export const blameSchema = z.enum(["user", "whatsapp", "network", "other_instance", "hub"]);

export const sessionSchema = z
  .object({
    id: z.int(),
    sessionId: z.string(),
    sessionName: z.string(),
    status: sessionStatusSchema,
    state: z.string(),
    isConnected: z.boolean(),
    hasQR: z.boolean(),
    phoneNumber: z.string().regex(/^\d+$/).nullable(),
    pushName: column.nullable(),
    lastActivity: isoTime,
    connectedAt: isoTime.nullable(),
    createdAt: isoTime,
    reason: z
      .object({
        code: z.string(),
        text: z.string(),
        blame: blameSchema,
        advice: z.string(),
        adviceEs: z.string().optional().describe("The same in Spanish"),
        by: z
          .string()
          .optional()
          .describe(
            "Name of the key, or id of the user, who ordered it; absent where nobody did, or nobody knows who",
          ),
        at: isoTime,
      })
      .nullable(),
    manuallyStopped: z.boolean(),
    sendToFrappe: z.boolean(),
    unreadCount: z.int(),
  })
  .meta({ id: "Session" });

/** One part of a force-cleanup: parts run in this order, each on its own. */
export const cleanupStepSchema = z.object({
  name: z.enum(["socket", "qr", "caches", "locks", "credentials", "settle"]),
  ok: z.boolean(),
  ms: z.int(),
  error: z.string().optional(),
});

/** WhatsApp asks for sent messages again for some days: what answers it must still be there. */
export const RETENTION_DAYS = { least: 7, most: 3650 };
const retentionProblem = `use ${RETENTION_DAYS.least} to ${RETENTION_DAYS.most} days, or null: phones ask for sent messages again for a week`;

export const sessionSettingsSchema = z
  .object({
    jidForm: z.enum(["c.us", "s.whatsapp.net"]),
    qrForm: z.enum(["bare", "dataUrl"]),
    deleteMode: z.enum(["seal", "logout"]),
    ordering: z.enum(["chat", "session"]),
    ignoreGroups: z.boolean(),
    historyDays: z.int().min(0).max(3650),
    retentionDays: z
      .int(retentionProblem)
      .min(RETENTION_DAYS.least, retentionProblem)
      .max(RETENTION_DAYS.most, retentionProblem)
      .nullable()
      .describe(
        "Messages older than that go; null: as the hub is set to (`HUB_RETENTION_DAYS`), else they stay",
      ),
    bot: z.object({ enabled: z.boolean(), reason: z.string().max(500).nullable() }),
    sendingEnabled: z.boolean().describe("False: nothing is sent; what is to be queued waits"),
    pairingNumber: z
      .string()
      .regex(/^\d{6,15}$/, "use the digits of the phone number, with its country code")
      .nullable()
      .describe("Number that a pairing code is for when the call for one names none"),
  })
  .meta({ id: "SessionSettings" });

export const contactSchema = z
  .object({
    id: column,
    phone: z
      .string()
      .regex(/^\+\d+$/)
      .optional(),
    phoneNumber: z
      .string()
      .regex(/^\+\d+$/)
      .optional(),
    name: column.nullable(),
    notify: column.nullable(),
    pushname: column.nullable(),
    shortName: column.nullable(),
    verifiedName: column.nullable(),
    about: z.string().nullable(),
    imgUrl: column.nullable(),
    profilePicUrl: column.nullable(),
    lid: z.string().nullable(),
    isUser: z.boolean(),
    isGroup: z.boolean(),
    isWAContact: z.boolean(),
    isMyContact: z.boolean(),
    isBlocked: z.boolean(),
    isEnterprise: z.boolean(),
    updatedAt: seconds,
  })
  .meta({ id: "Contact" });

export const messageTypeSchema = z.enum([
  "text",
  "image",
  "video",
  "audio",
  "document",
  "location",
  "contact",
  "sticker",
  "buttons",
  "list",
  "poll",
  "reaction",
]);

export const messageStatusSchema = z.enum(["pending", "sent", "delivered", "read", "failed", "deleted"]);

export const chatSchema = z
  .object({
    id: column,
    chatId: column,
    lid: z.string().optional().describe("Hidden id of the person, where it is known"),
    conversationId: z.int(),
    sessionId: z.string(),
    name: column,
    contactName: column,
    isGroup: z.boolean(),
    isBroadcast: z.boolean(),
    isReadOnly: z.boolean(),
    unreadCount: z.int(),
    messageCount: z.int(),
    totalMessages: z.int(),
    removedMessages: z
      .int()
      .optional()
      .describe("Messages that went for their age or were erased; absent: none did"),
    archived: z.boolean(),
    pinned: z.boolean(),
    isMuted: z.boolean(),
    muteExpiration: z.int().nullable(),
    lastMessageAt: seconds.nullable(),
    lastMessageText: z.string().nullable(),
    firstMessageTime: seconds.nullable(),
    lastMessage: z
      .object({
        messageId: z.string(),
        body: z.string(),
        content: z.string(),
        timestamp: seconds,
        fromMe: z.boolean(),
        type: messageTypeSchema,
      })
      .nullable(),
  })
  .meta({ id: "Chat" });

export const mediaSchema = z
  .object({
    mediaId: z.string(),
    filename: column,
    filesize: z.int(),
    mimetype: column,
    url: column,
    sha256: z.string().max(500).nullish(),
    mediaKey: z.string().max(260).nullish(),
    ptt: z.boolean().optional(),
  })
  .meta({ id: "Media" });

export const messageSchema = z
  .object({
    id: z.object({ _serialized: z.string() }),
    messageId: z.string(),
    whatsappMessageId: z.string(),
    sessionId: z.string(),
    chatId: column,
    conversationId: z.int(),
    from: column,
    to: column,
    participant: column.nullable(),
    pushName: column.nullable(),
    fromMe: z.boolean(),
    isGroup: z.boolean(),
    type: messageTypeSchema,
    body: z.string(),
    content: z.string(),
    caption: z.string().nullable(),
    hasMedia: z.boolean(),
    media: mediaSchema.nullable(),
    status: messageStatusSchema,
    ack: z.int().min(-1).max(4),
    timestamp: seconds,
    timestampIso: isoTime,
    quotedMessageId: z.string().nullable(),
    isForwarded: z.boolean(),
    isStarred: z.boolean(),
    editedAt: seconds.nullable(),
    deletedAt: seconds.nullable(),
    reactions: z.array(z.object({ from: z.string(), emoji: z.string(), timestamp: seconds })),
    location: z
      .object({
        latitude: z.number(),
        longitude: z.number(),
        name: z.string().nullable(),
        address: z.string().nullable(),
      })
      .nullable(),
    contacts: z.array(z.object({ name: z.string(), vcard: z.string() })).nullable(),
    poll: z.object({ name: z.string(), values: z.array(z.string()), selectableCount: z.int() }).nullable(),
    unknownKind: z.string().nullable(),
  })
  .meta({ id: "Message" });

/** What a send answers: ids are plain strings here, and the message is always an object. */
export const sentSchema = z
  .object({
    messageId: z.string(),
    status: messageStatusSchema,
    timestamp: isoTime,
    eta: isoTime.optional().describe("When a message that waits for its turn is to leave"),
    message: z.object({
      id: z.string(),
      whatsappMessageId: z.string(),
      messageId: z.string(),
      chatId: column,
      from: column,
      to: column,
      fromMe: z.boolean(),
      body: z.string(),
      content: z.string(),
      type: messageTypeSchema,
      status: messageStatusSchema,
      timestamp: seconds,
      conversationId: z.int(),
    }),
  })
  .meta({ id: "Sent" });

export const messageStatsSchema = z
  .object({
    total: z.int(),
    sent: z.int(),
    received: z.int(),
    delivered: z.int(),
    read: z.int(),
    failed: z.int(),
    pending: z.int(),
    unread: z.int(),
    chats: z.int(),
    contacts: z.int(),
    today: z.object({ sent: z.int(), received: z.int() }),
    at: isoTime,
  })
  .meta({ id: "MessageStats" });

export const paginationSchema = z
  .object({
    total: z.int(),
    page: z.int(),
    limit: z.int(),
    pages: z.int(),
    nextCursor: z.string().max(200).nullable(),
  })
  .meta({ id: "Pagination" });
