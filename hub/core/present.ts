/** How CRMs see what the hub keeps: the shapes of the contract, in a session's own form of addresses. */
import type { HubEvent } from "../contract/events.ts";
import { inSpanish } from "./advice.ts";
import type { Chat, Contact } from "./chat.ts";
import {
  isBroadcastJid,
  isGroupJid,
  isPhoneJid,
  phoneOf,
  showJid,
  userOf,
  type Jid,
  type JidForm,
} from "./jid.ts";
import { ackOf } from "../contract/message-status.ts";
import type { Message, MessageMedia } from "./message.ts";
import { isOpen, type SessionState } from "./session-state.ts";
import type { Session } from "./session.ts";

/** What presenting needs beside the thing itself. */
export interface View {
  jidForm: JidForm;
  /** Own number in digits, empty before the first pairing. */
  ownNumber: string;
  /** Base of short media URLs, without a trailing slash. */
  publicUrl: string;
}

export const viewOf = (session: Session, publicUrl: string): View => ({
  jidForm: session.settings.jidForm,
  ownNumber: session.phoneNumber ?? "",
  publicUrl,
});

/** Receivers keep names, files and URLs in columns of 140 characters and refuse a whole message beyond that. */
const COLUMN = 140;

/** At most `length` characters, and never half of a pair: receivers' databases refuse a lone surrogate. */
const firstOf = (text: string, length: number): string =>
  text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");

export const cut = (text: string): string => (text.length <= COLUMN ? text : firstOf(text, COLUMN));
const cutOrNull = (text: string | null): string | null => (text === null ? null : cut(text));

/** Cuts a file name in the middle of its stem, so that the extension stays. */
export function cutFilename(name: string): string {
  if (name.length <= COLUMN) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= 10 ? name.slice(dot) : "";
  return firstOf(name, COLUMN - extension.length) + extension;
}

/** Media type without parameters: receivers make a file extension from it. */
const bareMimetype = (mimetype: string): string => cut(mimetype.split(";")[0]?.trim() ?? "");

export type SessionStatus = "connected" | "connecting" | "qr_code" | "disconnected" | "error";

const STATUS: Record<SessionState, SessionStatus> = {
  connected: "connected",
  degraded: "connected",
  restricted: "connected",
  starting: "connecting",
  pairing: "connecting",
  reconnecting: "connecting",
  qr: "qr_code",
  pairing_code: "qr_code",
  stopped: "disconnected",
  logged_out: "disconnected",
  qr_expired: "disconnected",
  replaced: "error",
  banned: "error",
  outdated: "error",
  passkey_required: "error",
  number_in_use: "error",
  rolled_back: "error",
  store_down: "error",
};

/** The contract's closed word for a state. */
export const statusOf = (state: SessionState): SessionStatus => STATUS[state];

export const presentReason = (reason: Session["reason"]) =>
  reason && {
    code: reason.code,
    text: reason.text,
    blame: reason.blame,
    advice: reason.advice,
    adviceEs: inSpanish(reason.advice),
    ...(reason.by === undefined ? {} : { by: cut(reason.by) }),
    at: reason.at.toISOString(),
  };

export function presentSession(session: Session, { unreadCount = 0 } = {}) {
  const { state } = session;
  return {
    id: session.id,
    sessionId: session.sessionId,
    sessionName: session.sessionName,
    status: statusOf(state),
    state,
    // An account that dropped keeps its state for a moment; this is the truth of its socket.
    isConnected: isOpen(state) && session.lostAt === null,
    hasQR: state === "qr" || state === "pairing_code",
    phoneNumber: session.phoneNumber,
    pushName: cutOrNull(session.pushName),
    lastActivity: session.lastActivity.toISOString(),
    connectedAt: session.connectedAt?.toISOString() ?? null,
    createdAt: session.createdAt.toISOString(),
    reason: presentReason(session.reason),
    manuallyStopped: state === "stopped" && session.reason?.code === "stopped",
    sendToFrappe: session.sendToFrappe,
    unreadCount,
  };
}

export const mediaUrl = (token: string, publicUrl: string): string => `${publicUrl}/m/${token}`;

const displayName = (contact: Contact): string | null =>
  cutOrNull(contact.name ?? contact.verifiedName ?? contact.pushName);

export function presentContact(contact: Contact, { jidForm, publicUrl }: View) {
  const phone = phoneOf(contact.jid);
  const picture = contact.pictureToken === null ? null : mediaUrl(contact.pictureToken, publicUrl);
  return {
    id: showJid(contact.jid, jidForm),
    ...(phone === null ? {} : { phone, phoneNumber: phone }),
    name: displayName(contact),
    notify: cutOrNull(contact.pushName),
    pushname: cutOrNull(contact.pushName),
    shortName: null,
    verifiedName: cutOrNull(contact.verifiedName),
    about: contact.about,
    imgUrl: picture,
    profilePicUrl: picture,
    lid: contact.lid,
    isUser: !isGroupJid(contact.jid),
    isGroup: isGroupJid(contact.jid),
    isWAContact: true,
    isMyContact: contact.isMyContact,
    isBlocked: contact.isBlocked,
    isEnterprise: contact.isBusiness,
    updatedAt: Math.floor(contact.updatedAt / 1000),
  };
}

export function presentChat(chat: Chat, { jidForm }: View) {
  const last = chat.lastMessage;
  const name =
    cutOrNull(chat.name) ?? (isPhoneJid(chat.chatId) ? `+${userOf(chat.chatId)}` : userOf(chat.chatId));
  return {
    id: showJid(chat.chatId, jidForm),
    chatId: showJid(chat.chatId, jidForm),
    ...(chat.lid === null ? {} : { lid: chat.lid }),
    conversationId: chat.conversationId,
    sessionId: chat.sessionId,
    name,
    contactName: name,
    isGroup: isGroupJid(chat.chatId),
    isBroadcast: isBroadcastJid(chat.chatId),
    isReadOnly: chat.isReadOnly,
    unreadCount: chat.unreadCount,
    messageCount: chat.messageCount,
    totalMessages: chat.messageCount,
    ...(chat.removedMessages === 0 ? {} : { removedMessages: chat.removedMessages }),
    archived: chat.archived,
    pinned: chat.pinned,
    isMuted: chat.muteExpiration !== 0,
    muteExpiration: chat.muteExpiration === 0 ? null : chat.muteExpiration,
    lastMessageAt: chat.lastMessageAt,
    lastMessageText: last?.content ?? null,
    firstMessageTime: chat.firstMessageTime,
    lastMessage: last && {
      messageId: last.messageId,
      body: last.content,
      content: last.content,
      timestamp: last.timestamp,
      fromMe: last.fromMe,
      type: last.type,
    },
  };
}

/** Who speaks to whom, as receivers attribute a message. */
function direction(message: Message, { jidForm, ownNumber }: View) {
  const chatId = showJid(message.chatId, jidForm);
  const author: Jid = message.participant ?? message.chatId;
  return {
    chatId,
    from: message.fromMe ? ownNumber : showJid(author, jidForm),
    to: message.fromMe ? chatId : ownNumber,
  };
}

export function presentMedia(media: MessageMedia, publicUrl: string) {
  return {
    filename: cutFilename(media.filename),
    filesize: media.filesize,
    mimetype: bareMimetype(media.mimetype),
    url: mediaUrl(media.token, publicUrl),
    ...(media.mediaKey === null ? {} : { mediaKey: media.mediaKey }),
    ...(media.sha256 === null ? {} : { sha256: media.sha256 }),
    ...(media.ptt ? { ptt: true } : {}),
  };
}

/** A message in a list of the REST API. */
export function presentMessage(message: Message, conversationId: number, view: View) {
  const { chatId, from, to } = direction(message, view);
  const { media } = message;
  return {
    id: { _serialized: message.id },
    messageId: message.id,
    whatsappMessageId: message.id,
    sessionId: message.sessionId,
    chatId,
    conversationId,
    from,
    to,
    participant: message.participant === null ? null : showJid(message.participant, view.jidForm),
    pushName: cutOrNull(message.pushName),
    fromMe: message.fromMe,
    isGroup: isGroupJid(message.chatId),
    type: message.type,
    body: message.content,
    content: message.content,
    caption: message.caption,
    hasMedia: media !== null,
    media: media && { mediaId: media.mediaId, ...presentMedia(media, view.publicUrl) },
    status: message.status,
    ack: ackOf(message),
    timestamp: message.timestamp,
    timestampIso: new Date(message.timestamp * 1000).toISOString(),
    quotedMessageId: message.quotedMessageId,
    isForwarded: message.isForwarded,
    isStarred: message.isStarred,
    editedAt: message.editedAt,
    deletedAt: message.deletedAt,
    reactions: message.reactions.map((reaction) => ({
      from: reaction.fromMe ? view.ownNumber : showJid(reaction.from, view.jidForm),
      emoji: reaction.emoji,
      timestamp: reaction.timestamp,
    })),
    location: message.location,
    contacts: message.contacts,
    poll: message.poll,
    unknownKind: message.unknownKind,
  };
}

/** A message inside an event; members that say nothing are left out. */
export function presentMessageEvent(message: Message, view: View, conversationId?: number) {
  const { chatId, from, to } = direction(message, view);
  const { media } = message;
  return {
    id: message.id,
    messageId: message.id,
    whatsappMessageId: message.id,
    content: message.content,
    body: message.content,
    chatId,
    from,
    to,
    fromMe: message.fromMe,
    isGroup: isGroupJid(message.chatId),
    timestamp: message.timestamp,
    type: message.type,
    has_attachment: media !== null,
    media: media && presentMedia(media, view.publicUrl),
    // What others wrote has been delivered, to us; how far an own message is, a receiver cannot know.
    ...(message.fromMe ? { status: message.status } : {}),
    ...optional("participant", message.participant && showJid(message.participant, view.jidForm)),
    ...optional("pushName", cutOrNull(message.pushName)),
    ...optional("caption", message.caption),
    ...optional("quotedMessageId", message.quotedMessageId),
    ...optional("conversationId", conversationId ?? null),
    ...optional("location", message.location),
    ...optional("contacts", message.contacts),
    ...optional("poll", message.poll),
    ...(message.isForwarded ? { isForwarded: true } : {}),
    ...optional("unknownKind", message.unknownKind),
  };
}

function optional<K extends string, V>(key: K, value: V | null): Partial<Record<K, V>> {
  const member: Partial<Record<K, V>> = {};
  if (value !== null) member[key] = value;
  return member;
}

/** `data` of an event with the two members that always come first. */
export const withSession = (
  session: { id: number; sessionId: string },
  data: Record<string, unknown>,
): HubEvent["data"] => ({
  sessionId: session.sessionId,
  session_db_id: session.id,
  ...data,
});
