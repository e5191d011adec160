/** Port to what keeps the embedded CRM's rows. Plain and synchronous: the rules run inside one transaction of an engine. */
import type { Position } from "../../adapter.ts";
import type {
  ClientRow,
  ContactRow,
  ConversationRow,
  MediaRow,
  MessageRow,
  Named,
  Row,
  SessionRow,
} from "./doctypes.ts";

export interface Table<R extends Row & Named> {
  /** Gives the record its name, which no other record ever had. */
  insert(values: Omit<R, "name">): string;
  /** Only columns of the document type; a name without a record changes nothing. */
  update(name: string, changes: Row): void;
  remove(name: string): void;
}

/** What a session, or a chat of it, has of messages. Times as rows keep them. */
export interface MessageSpan {
  chatId: string;
  messages: number;
  oldest: string;
  newest: string;
}

export interface Rows {
  sessions: Table<SessionRow> & { of(sessionId: string): SessionRow | undefined };
  contacts: Table<ContactRow> & {
    of(session: string, contactId: string): ContactRow | undefined;
    withPhone(phone: string): ContactRow | undefined;
    count(session: string): number;
  };
  conversations: Table<ConversationRow> & {
    of(session: string, chatId: string): ConversationRow | undefined;
    named(name: string): ConversationRow | undefined;
    count(session: string): number;
  };
  messages: Table<MessageRow> & {
    of(conversation: string, key: MessageNames): MessageRow | undefined;
    /** All messages of that id in a chat, newest first. */
    withId(conversation: string, messageId: string): MessageRow[];
    count(session: string): { sent: number; received: number };
    countIn(conversation: string): number;
    /** One per chat that has any; `chatIds` narrows. */
    spans(session: string, chatIds: string[] | null): MessageSpan[];
    /** Messages that are in both chats. */
    inBoth(from: string, into: string): { from: MessageRow; into: MessageRow }[];
    /** Messages of groups that are held under two ids of one member. */
    inBothOfMember(session: string, from: string, into: string): { from: MessageRow; into: MessageRow }[];
    /** Messages that somebody reacted to under this id, which must be a hidden one. */
    withReactionOf(session: string, hiddenId: string): MessageRow[];
    /** Messages of a member of groups point to their contact, also those that came before it. */
    linkAuthor(session: string, participant: string, contact: string): void;
    /** Answers to a message that point to `instead`, a record or nothing, point to `name`. */
    linkAnswers(
      conversation: string,
      asked: { messageId: string; instead: string | null; name: string },
    ): void;
    /** Answers that point to nothing. */
    unlinkedAnswers(conversation: string): MessageRow[];
    /** All messages of a chat go to another, which must hold none of them. */
    move(from: string, into: string): void;
    /** The person of a chat got another contact, or another number. */
    readdress(conversation: string, change: { contact: string | null; from: string; into: string }): void;
    /** Messages of a member of groups carry the new id, under which none of them may be held. */
    renameParticipant(
      session: string,
      change: {
        from: string;
        into: string;
        contact: string | null;
        numbers: { from: string; into: string };
      },
    ): void;
  };
  media: Table<MediaRow> & { of(message: string): MediaRow[] };
  clients: Table<ClientRow> & {
    named(name: string): ClientRow | undefined;
    withExternalId(externalId: string): ClientRow | undefined;
    /** By its normal form, however it is written in the row. */
    withNationalId(nationalId: string): ClientRow[];
  };
  /** Hidden ids that turned out to be somebody. */
  aliases: {
    /** The id that stands for this one now, if any, and where that was last told. */
    of(session: string, id: string): { into: string; position: Position } | undefined;
    put(session: string, from: string, into: string, position: Position): void;
  };
  /** Whether a contact, a chat, a message or a reaction of the session is kept under this id. */
  isHeld(session: string, id: string): boolean;
}

export interface MessageNames {
  messageId: string;
  fromMe: number;
  participant: string;
}
