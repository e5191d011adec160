/** What became true → the events CRMs are told. Pure; the store calls it inside the transaction that made it true. */
import { adviceOnRefusal } from "./advice-on-refusals.ts";
import { inSpanish } from "./advice.ts";
import type { Chat, Contact } from "./chat.ts";
import type { GroupChange } from "./facts.ts";
import { phoneJid, showJid, type Jid, type JidForm } from "./jid.ts";
import { ackOf, type MessageStatus } from "../contract/message-status.ts";
import type { Message } from "./message.ts";
import { presentChat, presentContact, presentMessageEvent, type View } from "./present.ts";
import type { NewEvent } from "./store.ts";

type MessageName = Pick<Message, "chatId" | "id" | "fromMe" | "participant">;

/** A change of what the hub knows, after it was applied. Of what history brings that was not there, only `history` is told. */
export type Change =
  | { kind: "stored"; message: Message }
  | { kind: "edited"; message: Message; at: number }
  /** What it says came after something had been told in its place. */
  | { kind: "healed"; message: Message }
  | { kind: "deleted"; target: MessageName; by: Jid; at: number; forEveryone: boolean }
  /** `emoji` is empty when the reaction was taken back. */
  | { kind: "reacted"; target: MessageName; from: Jid; fromMe: boolean; emoji: string; atMs: number }
  | {
      kind: "status";
      message: Pick<Message, "chatId" | "id" | "client" | "isPlayed">;
      status: MessageStatus;
      at: number;
      /** In a group: the member who made it rise. */
      participant: Jid | null;
      code: string | null;
      error: string | null;
    }
  | { kind: "chat"; chat: Chat; archived: boolean; others: boolean }
  | { kind: "contact"; contact: Contact }
  | { kind: "merged"; lid: Jid; phone: Jid; conversationId: number | null }
  /** `details`: all that is known of the group. */
  | { kind: "group"; jid: Jid; subject: string | null; details: GroupChange; by: Jid | null }
  | {
      kind: "participants";
      jid: Jid;
      action: "add" | "remove" | "promote" | "demote";
      participants: Jid[];
      by: Jid | null;
    }
  | {
      kind: "call";
      callId: string;
      from: Jid;
      isVideo: boolean;
      isGroup: boolean;
      status: string;
      at: number;
    }
  | {
      kind: "history";
      oldest: number | null;
      newest: number | null;
      chats: number;
      messages: number;
      complete: boolean;
    };

/** The answer to a send must be with its caller before the webhook about it arrives. */
const SENT_AFTER_MS = 1500;

type Kind = Change["kind"];
/** Written as a lookup, so that the compiler ties a change to the function for its kind. */
type ChangeOf<K extends Kind> = { [P in K]: Extract<Change, { kind: P }> & { kind: P } }[K];
type Teller<K extends Kind> = (change: ChangeOf<K>, view: View, now: Date) => NewEvent[];

const TELLERS: { [K in Kind]: Teller<K> } = {
  stored: ({ message }, view) => {
    const event = inChat("message.received", message.chatId, {
      message: presentMessageEvent(message, view),
    });
    return [{ ...event, exceptClient: message.client }];
  },
  edited: ({ message, at }, view) => [
    inChat("message.edited", message.chatId, {
      messageId: message.id,
      chatId: showJid(message.chatId, view.jidForm),
      content: message.content,
      editedAt: at,
      message: presentMessageEvent(message, view),
    }),
  ],
  healed: ({ message }, view) => [
    inChat("message.updated", message.chatId, {
      messageId: message.id,
      chatId: showJid(message.chatId, view.jidForm),
      message: presentMessageEvent(message, view),
    }),
  ],
  deleted: ({ target, by, at, forEveryone }, { jidForm }) => [
    inChat("message.deleted", target.chatId, {
      messageId: target.id,
      chatId: showJid(target.chatId, jidForm),
      deletedBy: showJid(by, jidForm),
      deletedAt: at,
      forEveryone,
      target: authorOf(target, jidForm),
    }),
  ],
  reacted: reactionEvents,
  status: statusEvents,
  chat: chatEvents,
  contact: ({ contact }, view) => [inSession("contact.updated", { contact: presentContact(contact, view) })],
  merged: ({ lid, phone, conversationId }, { jidForm }) => [
    inSession("contact.merged", { from: lid, into: showJid(phone, jidForm), conversationId }),
  ],
  group: ({ jid, subject, details: { description = null, owner, ...details }, by }, { jidForm }) => [
    inChat("group.updated", jid, {
      groupId: jid,
      group: {
        id: jid,
        subject,
        description,
        ...(owner === undefined ? {} : { owner: showJid(owner, jidForm) }),
        ...details,
      },
      by: showOrNull(by, jidForm),
    }),
  ],
  participants: ({ jid, action, participants, by }, { jidForm }) => [
    inChat("group.participants", jid, {
      groupId: jid,
      action,
      participants: participants.map((participant) => showJid(participant, jidForm)),
      by: showOrNull(by, jidForm),
    }),
  ],
  call: ({ callId, from, isVideo, isGroup, status, at }, { jidForm }) => [
    inChat("call.received", from, {
      callId,
      from: showJid(from, jidForm),
      isVideo,
      isGroup,
      status,
      timestamp: at,
    }),
  ],
  history: ({ oldest, newest, chats, messages, complete }) => [
    inSession("history.synced", { oldest, newest, chats, messages, complete }),
  ],
};

export const eventsOf = <K extends Kind>(change: ChangeOf<K>, view: View, now: Date): NewEvent[] =>
  TELLERS[change.kind](change, view, now);

const showOrNull = (jid: Jid | null, form: JidForm): string | null =>
  jid === null ? null : showJid(jid, form);

function inSession(event: NewEvent["event"], data: NewEvent["data"]): NewEvent {
  return { event, chatId: null, data, exceptClient: null, notBefore: null };
}
function inChat(event: NewEvent["event"], chatId: Jid, data: NewEvent["data"]): NewEvent {
  return { ...inSession(event, data), chatId };
}

/** `key` names the person who reacted, not the author of the target: receivers read it so. */
function reactionEvents({ target, from, fromMe, emoji, atMs }: ChangeOf<"reacted">, view: View): NewEvent[] {
  const chatId = showJid(target.chatId, view.jidForm);
  const who = showJid(fromMe ? phoneJid(view.ownNumber) : from, view.jidForm);
  return [
    inChat("message.reaction", target.chatId, {
      messageId: target.id,
      emoji,
      from: fromMe ? view.ownNumber : who,
      removed: emoji === "",
      message: {
        chatId,
        reactionMessage: {
          key: { id: target.id, fromMe, remoteJid: who },
          text: emoji,
          senderTimestampMs: atMs,
        },
      },
      target: authorOf(target, view.jidForm),
    }),
  ];
}

/** Anybody in a chat may use an id that somebody else used there. */
const authorOf = ({ fromMe, participant }: MessageName, form: JidForm) => ({
  fromMe,
  ...(participant === null ? {} : { participant: showJid(participant, form) }),
});

/** A message that never came from the API is not "sent": whoever reads `message.received` knows it was. */
function statusEvents(change: ChangeOf<"status">, view: View, now: Date): NewEvent[] {
  const { message, status, at, participant } = change;
  const about = {
    messageId: message.id,
    status,
    chatId: showJid(message.chatId, view.jidForm),
  };
  const member = participant === null ? {} : { participant: showJid(participant, view.jidForm) };
  const ack = ackOf({ status, isPlayed: message.isPlayed });
  switch (status) {
    case "sent":
      if (message.client === null) return [];
      return [
        {
          ...inChat("message.sent", message.chatId, {
            ...about,
            message: { messageId: message.id, id: message.id },
            ack,
            timestamp: at,
          }),
          notBefore: new Date(now.getTime() + SENT_AFTER_MS),
        },
      ];
    case "delivered":
      return [inChat("message.delivered", message.chatId, { ...about, ack, deliveredAt: at, ...member })];
    case "read":
      return [inChat("message.read", message.chatId, { ...about, ack, readAt: at, ...member })];
    case "failed":
      return [
        inChat("message.failed", message.chatId, {
          ...about,
          ack,
          code: change.code ?? "failed",
          error: change.error ?? "WhatsApp did not take the message.",
          ...adviceFor(change.code),
        }),
      ];
    case "pending":
    case "deleted":
      return [];
  }
}

function adviceFor(code: string | null): { advice?: string; adviceEs?: string } {
  const advice = code === null ? null : adviceOnRefusal(code);
  return advice === null ? {} : { advice, adviceEs: inSpanish(advice) };
}

function chatEvents({ chat, archived, others }: ChangeOf<"chat">, view: View): NewEvent[] {
  const chatId = showJid(chat.chatId, view.jidForm);
  const events: NewEvent[] = [];
  if (archived)
    events.push(
      inChat(chat.archived ? "chat.archived" : "chat.unarchived", chat.chatId, {
        chatId,
        isArchived: chat.archived,
      }),
    );
  if (others)
    events.push(
      inChat("chat.updated", chat.chatId, {
        chatId,
        conversationId: chat.conversationId,
        chat: presentChat(chat, view),
      }),
    );
  return events;
}
