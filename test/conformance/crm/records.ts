/** Records as the hub's contract describes them: sensible defaults, so that a test states only what matters to it. */
import { ACK } from "../../../hub/contract/index.ts";
import type { ClientFields } from "../../../bridge/adapter.ts";
import type { Chat, Contact, Message, Session } from "../../../bridge/records.ts";
import { T0, T0_SECONDS, unique } from "../../support/builders.ts";

export const NOW = T0_SECONDS;
export const ANA = "34600111222@c.us";
export const EVA = "34600333444@c.us";
export const GROUP = "120363000000000001@g.us";
export const HIDDEN = "98765432109876@lid";
export const OWN_NUMBER = "34600999888";

export const aSessionRecord = (change: Partial<Session> = {}): Session => ({
  id: 12,
  sessionId: "s1",
  sessionName: "Front desk",
  status: "connected",
  state: "connected",
  isConnected: true,
  hasQR: false,
  phoneNumber: OWN_NUMBER,
  pushName: "Shop",
  lastActivity: T0.toISOString(),
  connectedAt: T0.toISOString(),
  createdAt: T0.toISOString(),
  reason: null,
  manuallyStopped: false,
  sendToFrappe: true,
  unreadCount: 0,
  ...change,
});

const phoneOf = (id: string): { phone?: string; phoneNumber?: string } => {
  if (!id.endsWith("@c.us")) return {};
  const phone = `+${id.slice(0, id.indexOf("@"))}`;
  return { phone, phoneNumber: phone };
};

export const aContact = (change: Partial<Contact> = {}): Contact => ({
  id: ANA,
  ...phoneOf(change.id ?? ANA),
  name: "Ana",
  notify: "Ana",
  pushname: "Ana",
  shortName: null,
  verifiedName: null,
  about: null,
  imgUrl: null,
  profilePicUrl: null,
  lid: null,
  isUser: true,
  isGroup: false,
  isWAContact: true,
  isMyContact: true,
  isBlocked: false,
  isEnterprise: false,
  updatedAt: NOW,
  ...change,
});

export const aChat = (change: Partial<Chat> = {}): Chat => {
  const chatId = change.chatId ?? ANA;
  const name = change.name ?? (chatId === ANA ? "Ana" : chatId);
  return {
    id: chatId,
    chatId,
    conversationId: 77,
    sessionId: "s1",
    name,
    contactName: name,
    isGroup: chatId.endsWith("@g.us"),
    isBroadcast: false,
    isReadOnly: false,
    unreadCount: 2,
    messageCount: 0,
    totalMessages: 0,
    archived: false,
    pinned: false,
    isMuted: false,
    muteExpiration: null,
    lastMessageAt: null,
    lastMessageText: null,
    firstMessageTime: null,
    lastMessage: null,
    ...change,
  };
};

/** What a chat says about its last message. */
export const withLast = (message: Message): Partial<Chat> => ({
  lastMessageAt: message.timestamp,
  lastMessageText: message.content,
  lastMessage: {
    messageId: message.messageId,
    body: message.body,
    content: message.content,
    timestamp: message.timestamp,
    fromMe: message.fromMe,
    type: message.type,
  },
});

export const aMessage = (change: Partial<Message> = {}): Message => {
  const { messageId, chatId, fromMe, timestamp, content, status } = {
    messageId: `3A${unique().toString(16).toUpperCase().padStart(10, "0")}`,
    chatId: ANA,
    fromMe: false,
    timestamp: NOW,
    content: "hola",
    status: change.fromMe === true ? ("sent" as const) : ("delivered" as const),
    ...change,
  };
  return {
    id: { _serialized: messageId },
    messageId,
    whatsappMessageId: messageId,
    sessionId: "s1",
    chatId,
    conversationId: 77,
    from: fromMe ? OWN_NUMBER : (change.participant ?? chatId),
    to: fromMe ? chatId : OWN_NUMBER,
    participant: null,
    pushName: fromMe ? null : "Ana",
    fromMe,
    isGroup: chatId.endsWith("@g.us"),
    type: "text",
    body: content,
    content,
    caption: null,
    hasMedia: (change.media ?? null) !== null,
    media: null,
    status,
    ack: ACK[status],
    timestamp,
    timestampIso: new Date(timestamp * 1000).toISOString(),
    quotedMessageId: null,
    isForwarded: false,
    isStarred: false,
    editedAt: null,
    deletedAt: null,
    reactions: [],
    location: null,
    contacts: null,
    poll: null,
    unknownKind: null,
    ...change,
  };
};

export const anImage = (change: Partial<NonNullable<Message["media"]>> = {}): Partial<Message> => ({
  type: "image",
  hasMedia: true,
  media: {
    mediaId: "med_00000000000000000000000001",
    filename: "i.jpg",
    filesize: 245_678,
    mimetype: "image/jpeg",
    url: "https://hub.example/m/AbCdEfGhIjKlMnOpQrStUv",
    sha256: null,
    mediaKey: null,
    ...change,
  },
});

export const aClient = (change: Partial<ClientFields> = {}): ClientFields => ({
  externalId: "4711",
  code: "WIS-4711",
  name: "Ana Pérez",
  email: "ana@example.com",
  phone: "+34600111222",
  address: "Calle Mayor 1",
  zone: "North",
  nationalId: "12345678",
  details: "Fibre, third floor",
  ...change,
});
