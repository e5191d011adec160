/** A message of the hub as fields of WhatsApp Message, and what of an existing document it changes. Pure. */
import type { MessageStatus } from "../../../hub/contract/index.ts";
import type { Position } from "../../adapter.ts";
import type { Message, MessageChange } from "../../records.ts";
import { isOlderEdit, type EditAt } from "../edit-order.ts";
import { differing, flag, isEmpty, text, type Fields, type Row } from "./field-values.ts";
import { isHidden } from "./aliases.ts";
import { isSameState, readState, STATE_FIELD, writeState, type HubState } from "./hub-state.ts";
import { isOutgoing } from "./message-identity.ts";
import { mediaItems, mediaState } from "./message-media.ts";
import { isPast, mayBecome, STATUS_WORD, statusOf } from "./message-status.ts";
import { byPerson, reactionFields, withAllReactions, withReaction } from "./reactions.ts";
import type { SiteTime } from "./site-time.ts";

export const MESSAGE_FIELDS = [
  "name",
  "message_id",
  "session",
  "conversation",
  "contact",
  "timestamp",
  "direction",
  "message_type",
  "content",
  "status",
  "sent_at",
  "delivered_at",
  "read_at",
  "from_number",
  "to_number",
  "is_forwarded",
  "is_starred",
  "is_reply",
  "quoted_message",
  "has_reaction",
  "reaction",
  "has_media",
  STATE_FIELD,
];

const wantedStatus = ({ status, deletedAt }: Message): MessageStatus =>
  deletedAt === null ? status : "deleted";

/** `+digits` of a phone's address or number, else the address. */
export const numberOf = (jid: string): string => {
  const digits = /^(\d+)(?:@(?:c\.us|s\.whatsapp\.net))?$/.exec(jid)?.[1];
  return digits === undefined ? jid : `+${digits}`;
};

export interface Links {
  sessionName: string;
  conversation: string;
  contact: string | undefined;
  quoted: string | undefined;
}

/** All fields of a new document. */
export function newMessage(
  message: Message,
  messageId: string,
  links: Links,
  { time, position }: { time: SiteTime; position: Position },
): Fields {
  const status = wantedStatus(message);
  const reactions = withAllReactions([], message.reactions, position);
  return {
    session: links.sessionName,
    conversation: links.conversation,
    contact: links.contact,
    message_id: messageId,
    timestamp: time.write(message.timestamp),
    direction: message.fromMe ? "Outgoing" : "Incoming",
    message_type: message.type,
    content: message.content,
    status: STATUS_WORD[status],
    // The site takes an outgoing message without it back to Pending.
    sent_at: message.fromMe ? time.write(message.timestamp) : undefined,
    from_number: numberOf(message.from),
    to_number: numberOf(message.to),
    from_me: flag(message.fromMe),
    is_forwarded: flag(message.isForwarded),
    is_starred: flag(message.isStarred),
    is_reply: flag(message.quotedMessageId !== null),
    quoted_message: links.quoted,
    ...reactionFields(reactions),
    has_media: flag(message.media !== null),
    media_items: mediaItems(message),
    [STATE_FIELD]: writeState({
      ...(position === null ? {} : { position }),
      status,
      statusPosition: position,
      ...(message.editedAt === null ? {} : { editedAt: message.editedAt }),
      ...(messageId === message.messageId ? {} : { id: message.messageId }),
      ...(message.participant === null ? {} : { participant: message.participant }),
      ...mediaState(message),
      ...(reactions.length === 0 ? {} : { reactions }),
    }),
  };
}

export interface Told {
  time: SiteTime;
  position: Position;
  /** Something newer was told of this message before, or nobody knows when this was. */
  isStale: boolean;
  /** The site keeps what the bridge must remember. */
  hasState: boolean;
  /** The id under which a person is kept. */
  resolve: (id: string) => string;
}

/** What one side of a message wants of its document, and what of it must be remembered. */
interface Part {
  wanted: Fields;
  next: HubState;
}
const NOTHING: Part = { wanted: {}, next: {} };

/** Of an existing document, what the message proves to be behind; empty when nothing is. */
export function changesByMessage(
  row: Row,
  message: Message,
  { contact, quoted }: Pick<Links, "contact" | "quoted">,
  told: Told,
): Fields {
  const { time, position, isStale, hasState } = told;
  if (isStale && position !== null) return {};
  const state = readState(row[STATE_FIELD]);
  const parts = [
    statusPart(row, message, told),
    textPart(state, message, told),
    ...(isStale ? [] : [reactionPart(state, message, told), plainPart(row, message)]),
  ];
  const wanted = parts.reduce<Fields>((all, part) => ({ ...all, ...part.wanted }), {
    quoted_message: quoted,
    contact: text(row, "contact") === "" ? contact : undefined,
  });
  const next = parts.reduce<HubState>((all, part) => ({ ...all, ...part.next }), state);
  const changes = differing(row, wanted);
  if (isEmpty(changes) && (!hasState || isSameState(next, state))) return {};
  if (hasState) changes[STATE_FIELD] = writeState(position === null ? next : { ...next, position });
  return { ...changes, ...sentAt(row, time) };
}

function statusPart(row: Row, message: Message, { position, hasState }: Told): Part {
  const status = wantedStatus(message);
  // Without memory of our own an incoming message looks delivered for ever: nothing to compare with.
  if (!(hasState || message.fromMe) || !mayBecome(row, status, position)) return NOTHING;
  return { wanted: { status: STATUS_WORD[status] }, next: { status, statusPosition: position } };
}

function textPart(state: HubState, message: Message, told: Told): Part {
  if (!isLaterText(state, message, told)) return NOTHING;
  return {
    wanted: { content: message.content, message_type: message.type },
    next: message.editedAt === null ? {} : { editedAt: message.editedAt },
  };
}

function reactionPart(state: HubState, message: Message, { position, hasState, resolve }: Told): Part {
  // Who took a reaction back cannot be told from who never gave one.
  if (!hasState && message.reactions.length === 0) return NOTHING;
  const reactions = withAllReactions(byPerson(state.reactions ?? [], resolve), message.reactions, position);
  return {
    wanted: reactionFields(reactions),
    next: reactions.length > 0 || state.reactions !== undefined ? { reactions } : {},
  };
}

/** What a later record simply replaces. Numbers stay as they are but where a hidden id stood for one. */
function plainPart(row: Row, message: Message): Part {
  const known = (field: string, jid: string) =>
    isHidden(text(row, field)) && !isHidden(jid) ? { [field]: numberOf(jid) } : {};
  return {
    wanted: {
      is_forwarded: flag(message.isForwarded),
      is_starred: flag(message.isStarred),
      is_reply: flag(message.quotedMessageId !== null),
      has_media: flag(message.media !== null),
      ...known("from_number", message.from),
      ...known("to_number", message.to),
    },
    next: mediaState(message),
  };
}

export const editOf = ({ editedAt = 0, editPosition }: HubState): EditAt<number> => ({
  at: editedAt,
  position: editPosition ?? null,
});

/** The later edit wins; of one second, or without one on either side, the later record. */
function isLaterText(state: HubState, message: Message, { position, isStale }: Told): boolean {
  const kept = editOf(state);
  const told = { at: message.editedAt ?? 0, position };
  return told.at > kept.at || (!isStale && !isOlderEdit(told, kept));
}

/** The same for a change that is told without its message. */
export function changesByEvent(row: Row, change: MessageChange, told: Told): Fields {
  const { time, isStale, hasState } = told;
  if (isStale) {
    const moment = change.kind === "status" ? missedMoment(row, change.status, time.write(change.at)) : {};
    return isEmpty(moment) ? {} : { ...sentAt(row, time), ...moment };
  }
  const state = readState(row[STATE_FIELD]);
  const { changes, next } = eventChanges(row, change, state, told);
  if (isEmpty(changes) && (!hasState || isSameState({ ...state, ...next }, state))) return {};
  if (hasState) changes[STATE_FIELD] = writeState({ ...state, ...next });
  return { ...sentAt(row, time), ...changes };
}

function eventChanges(
  row: Row,
  change: MessageChange,
  state: HubState,
  { time, position, resolve }: Pick<Told, "time" | "position" | "resolve">,
): { changes: Fields; next: HubState } {
  switch (change.kind) {
    case "status":
      return statusChange(row, change.status, change.at, { time, position });
    case "deletion":
      return statusChange(row, "deleted", change.at, { time, position });
    case "edit": {
      const { at, content } = change;
      if (isAfterDeletion(row, state, position) || isOlderEdit({ at, position }, editOf(state)))
        return { changes: {}, next: {} };
      const next = { editedAt: at, ...(position === null ? {} : { editPosition: position }) };
      return { changes: differing(row, { content }), next };
    }
    case "reaction": {
      const { emoji, at } = change;
      const kept = byPerson(state.reactions ?? [], resolve);
      const reactions = withReaction(kept, { from: resolve(change.from), emoji, at, position });
      if (reactions === null) return { changes: {}, next: {} };
      return { changes: differing(row, reactionFields(reactions)), next: { reactions } };
    }
  }
}

/** A deletion may overtake the edit before it: the words of that edit are those that were deleted. */
function isAfterDeletion(row: Row, { statusPosition = null }: HubState, position: Position): boolean {
  if (statusOf(row) !== "deleted") return false;
  return statusPosition === null || position === null || position > statusPosition;
}

/** Nothing of it is seen on the site. */
export const isOnlyRemembered = (row: Row, changes: Fields): boolean =>
  Object.entries(changes).every(([field, value]) => field === STATE_FIELD || value === text(row, field));

function statusChange(
  row: Row,
  status: MessageStatus,
  at: number,
  { time, position }: Pick<Told, "time" | "position">,
): { changes: Fields; next: HubState } {
  if (!mayBecome(row, status, position))
    return { changes: missedMoment(row, status, time.write(at)), next: {} };
  const moment = MOMENT_OF[status];
  const changes = {
    status: STATUS_WORD[status],
    ...(moment === undefined ? {} : { [moment]: time.write(at) }),
  };
  return { changes, next: { status, statusPosition: position } };
}

/** A record tells that a message was delivered or read, not when: that is told by the status alone, however late it comes. */
function missedMoment(row: Row, status: MessageStatus, at: string): Fields {
  const field = MOMENT_OF[status];
  const isMissing = field !== undefined && field in row && text(row, field) === "";
  return isMissing && isOutgoing(row) && isPast(row, status) ? { [field]: at } : {};
}

const MOMENT_OF: Partial<Record<MessageStatus, string>> = {
  sent: "sent_at",
  delivered: "delivered_at",
  read: "read_at",
};

/** Every write of an outgoing message says when it was sent, or the site takes it back to Pending. */
export function sentAt(row: Row, time: SiteTime): Fields {
  if (!isOutgoing(row)) return {};
  const known = text(row, "sent_at");
  if (known !== "") return { sent_at: known };
  const timestamp = time.read(row["timestamp"]);
  return timestamp === null ? {} : { sent_at: time.write(timestamp) };
}
