/** Records as the hub's REST answers them: sensible defaults, so that a test of the bridge states only what matters to it. */
import { ACK } from "../../hub/contract/index.ts";
import type { Chat, Contact, Message, Session } from "../../bridge/records.ts";
import { T0, T0_SECONDS, unique } from "./builders.ts";

export const personId = (n: number): string => `34600${String(n).padStart(6, "0")}@c.us`;

export const aHubSession = (change: Partial<Session> = {}): Session => ({
  id: 12,
  sessionId: "s1",
  sessionName: "Front desk",
  status: "connected",
  state: "connected",
  isConnected: true,
  hasQR: false,
  phoneNumber: "34600999888",
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

export const aHubContact = (change: Partial<Contact> = {}): Contact => {
  const id = change.id ?? personId(unique());
  const phone = id.endsWith("@c.us") ? `+${id.slice(0, -"@c.us".length)}` : undefined;
  const name = change.name ?? `Person ${id.slice(0, 11)}`;
  return {
    id,
    ...(phone === undefined ? {} : { phone, phoneNumber: phone }),
    name,
    notify: name,
    pushname: name,
    shortName: null,
    verifiedName: null,
    about: null,
    imgUrl: null,
    profilePicUrl: null,
    lid: null,
    isUser: !id.endsWith("@g.us"),
    isGroup: id.endsWith("@g.us"),
    isWAContact: true,
    isMyContact: true,
    isBlocked: false,
    isEnterprise: false,
    updatedAt: T0_SECONDS,
    ...change,
  };
};

export const aHubChat = (change: Partial<Chat> = {}): Chat => {
  const chatId = change.chatId ?? personId(unique());
  const name = change.name ?? `Person ${chatId.slice(0, 11)}`;
  return {
    id: chatId,
    chatId,
    conversationId: unique(),
    sessionId: "s1",
    name,
    contactName: name,
    isGroup: chatId.endsWith("@g.us"),
    isBroadcast: false,
    isReadOnly: false,
    unreadCount: 0,
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

export const aHubMessage = (change: Partial<Message> = {}): Message => {
  const messageId = change.messageId ?? `3A${unique().toString(16).toUpperCase().padStart(10, "0")}`;
  const chatId = change.chatId ?? personId(1);
  const fromMe = change.fromMe ?? false;
  const timestamp = change.timestamp ?? T0_SECONDS;
  const content = change.content ?? "hola";
  const status = change.status ?? (fromMe ? "sent" : "delivered");
  return {
    id: { _serialized: messageId },
    messageId,
    whatsappMessageId: messageId,
    sessionId: "s1",
    chatId,
    conversationId: 1,
    from: fromMe ? "34600999888" : chatId,
    to: fromMe ? chatId : "34600999888",
    participant: null,
    pushName: fromMe ? null : "Ana",
    fromMe,
    isGroup: chatId.endsWith("@g.us"),
    type: "text",
    body: content,
    content,
    caption: null,
    hasMedia: false,
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
