/** What a fake hub holds: records of its sessions, when each last changed, and the events that told of it. */
import type { Chat, Contact, Message, Session } from "../../bridge/records.ts";
import type { EventName, HubEvent } from "../../hub/contract/index.ts";
import { unique } from "./builders.ts";
import { aHubChat, aHubContact, aHubMessage, aHubSession } from "./hub-records.ts";

interface Kept<T> {
  record: T;
  /** Unix seconds. */
  updatedAt: number;
  n: number;
}

export interface SessionData {
  session: Session;
  contacts: Map<string, Kept<Contact>>;
  chats: Map<string, Kept<Chat>>;
  /** By chat. */
  messages: Map<string, Kept<Message>[]>;
}

export interface FakeHubStore {
  sessions: Map<string, SessionData>;
  events: HubEvent[];
  seq(): number;
  of(sessionId: string): SessionData | undefined;
  addSession(change?: Partial<Session>): Session;
  addContact(sessionId: string, change?: Partial<Contact>): Contact;
  addChat(sessionId: string, change?: Partial<Chat>): Chat;
  /** Of the history: stored, told by no event. Makes its chat where there is none. */
  addMessage(sessionId: string, change?: Partial<Message>): Message;
  changeMessage(
    sessionId: string,
    key: { chatId: string; messageId: string },
    change: Partial<Message>,
  ): Message;
  /** Gone, as after a restore of an older backup. */
  removeMessage(sessionId: string, key: { chatId: string; messageId: string }): void;
  /** Went for its age: the chat knows how many did, and keeps its last moment. */
  ageOut(sessionId: string, key: { chatId: string; messageId: string }): void;
  /** `position`: the first event's number may be far ahead, as after a restore. */
  emit(event: EventName, sessionId: string, data: Record<string, unknown>): HubEvent;
}

export function createFakeHubStore({
  now,
  firstSeq = 1,
}: {
  now: () => Date;
  firstSeq?: number;
}): FakeHubStore {
  const sessions = new Map<string, SessionData>();
  const events: HubEvent[] = [];
  let seq = firstSeq - 1;
  const nowSeconds = (): number => Math.floor(now().getTime() / 1000);
  const kept = <T>(record: T): Kept<T> => ({ record, updatedAt: nowSeconds(), n: unique() });

  const need = (sessionId: string): SessionData => {
    const data = sessions.get(sessionId);
    if (data === undefined) throw new Error(`the fake hub has no session ${sessionId}`);
    return data;
  };

  const addChat = (sessionId: string, change: Partial<Chat> = {}): Chat => {
    const chat = aHubChat({ sessionId, ...change });
    need(sessionId).chats.set(chat.chatId, kept(chat));
    return chat;
  };

  /** Counts and last message of a chat, from its messages. */
  function tally(data: SessionData, chatId: string): void {
    const { sessionId } = data.session;
    const messages = data.messages.get(chatId) ?? [];
    const chat = data.chats.get(chatId)?.record ?? addChat(sessionId, { chatId });
    let [first, last] = [messages[0], messages[0]];
    for (const message of messages) {
      if (first === undefined || byTime(message, first) < 0) first = message;
      if (last === undefined || byTime(message, last) > 0) last = message;
    }
    data.chats.set(chatId, kept({ ...chat, ...talliedOf(messages.length, first?.record, last?.record) }));
  }

  const find = (data: SessionData, { chatId, messageId }: { chatId: string; messageId: string }) => {
    const found = data.messages.get(chatId)?.find(({ record }) => record.messageId === messageId);
    if (found === undefined) throw new Error(`the fake hub has no message ${messageId}`);
    return found;
  };

  const removeMessage: FakeHubStore["removeMessage"] = (sessionId, key) => {
    const data = need(sessionId);
    const found = find(data, key);
    data.messages.set(key.chatId, data.messages.get(key.chatId)?.filter((one) => one !== found) ?? []);
    tally(data, key.chatId);
  };

  return {
    sessions,
    events,
    seq: () => seq,
    of: (sessionId) => sessions.get(sessionId),
    addSession: (change) => {
      const session = aHubSession(change);
      sessions.set(session.sessionId, {
        session,
        contacts: new Map(),
        chats: new Map(),
        messages: new Map(),
      });
      return session;
    },
    addContact: (sessionId, change) => {
      const contact = aHubContact({ updatedAt: nowSeconds(), ...change });
      need(sessionId).contacts.set(contact.id, kept(contact));
      return contact;
    },
    addChat,
    addMessage: (sessionId, change) => {
      const data = need(sessionId);
      const message = aHubMessage({ sessionId, timestamp: nowSeconds(), ...change });
      const messages = data.messages.get(message.chatId) ?? [];
      messages.push(kept(message));
      data.messages.set(message.chatId, messages);
      tally(data, message.chatId);
      return message;
    },
    changeMessage: (sessionId, key, change) => {
      const data = need(sessionId);
      const found = find(data, key);
      found.record = { ...found.record, ...change };
      found.updatedAt = nowSeconds();
      tally(data, key.chatId);
      return found.record;
    },
    removeMessage,
    ageOut: (sessionId, key) => {
      const { chats } = need(sessionId);
      const before = chats.get(key.chatId)?.record;
      removeMessage(sessionId, key);
      const after = chats.get(key.chatId);
      if (before === undefined || after === undefined) return;
      const { removedMessages = 0, firstMessageTime, lastMessageAt } = before;
      after.record = {
        ...after.record,
        ...{ removedMessages: removedMessages + 1, firstMessageTime, lastMessageAt },
      };
    },
    emit: (event, sessionId, data) => {
      seq += 1;
      const told: HubEvent = {
        id: `evt_${String(seq).padStart(26, "0")}`,
        seq,
        event,
        sessionId,
        timestamp: now().toISOString(),
        data: { sessionId, session_db_id: sessions.get(sessionId)?.session.id ?? 0, ...data },
      };
      events.push(told);
      return told;
    },
  };
}

/** Oldest first; what came later is newer within one second. */
const byTime = (a: Kept<Message>, b: Kept<Message>): number =>
  a.record.timestamp - b.record.timestamp || a.n - b.n;

const talliedOf = (count: number, first: Message | undefined, last: Message | undefined) => ({
  messageCount: count,
  totalMessages: count,
  firstMessageTime: first?.timestamp ?? null,
  lastMessageAt: last?.timestamp ?? null,
  lastMessageText: last?.content ?? null,
  lastMessage: last === undefined ? null : lastMessageOf(last),
});

const lastMessageOf = ({ messageId, content, timestamp, fromMe, type }: Message): Chat["lastMessage"] => ({
  messageId,
  body: content,
  content,
  timestamp,
  fromMe,
  type,
});
