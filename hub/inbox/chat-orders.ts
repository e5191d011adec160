/** What is done to conversations: put into the archive, pinned, muted; and the sign that somebody writes. */
import type { Chat } from "../core/chat.ts";
import { HubError } from "../core/errors.ts";
import type { ChatChange } from "../core/facts.ts";
import { noPressure, type Pressure } from "../core/pressure.ts";
import type { InboxStore } from "../core/store.ts";
import type { ChatOrder, TypingState, WhatsAppLink } from "../core/whatsapp.ts";
import { inTime, ORDER_MS } from "./in-time.ts";
import type { Ingest } from "./ingest.ts";
import { resolveRecipient } from "./recipient.ts";
import type { Numbering } from "./send-request.ts";

export interface ChatTarget {
  sessionId: string;
  /** As the caller wrote it. */
  chatId: string;
  numbering: Numbering;
}

/** Each is a fact once WhatsApp took it; what is so already is not asked again. @throws HubError CHAT_NOT_FOUND */
export interface ChatOrders {
  archive(target: ChatTarget, value: boolean): Promise<Chat>;
  pin(target: ChatTarget, value: boolean): Promise<Chat>;
  /** Unix seconds; 0 = not muted, -1 = for ever. */
  mute(target: ChatTarget, until: number): Promise<Chat>;
  showTyping(target: ChatTarget, state: TypingState): Promise<void>;
}

export interface ChatOrdersParts {
  inbox: Pick<InboxStore, "chat" | "messages" | "knows" | "addresses">;
  link: (sessionId: string) => WhatsAppLink;
  ingest: Ingest;
  pressure?: Pressure;
  /** How long the connection may take over one. */
  orderMs?: number;
}

export function createChatOrders({
  inbox,
  link,
  ingest,
  pressure = noPressure,
  orderMs = ORDER_MS,
}: ChatOrdersParts): ChatOrders {
  const chatIdOf = ({ sessionId, chatId: written, numbering }: ChatTarget) =>
    resolveRecipient({ sessionId, written, numbering, inbox, field: "chatId" });

  const find = async (target: ChatTarget): Promise<Chat> => {
    const chat = await inbox.chat(target.sessionId, await chatIdOf(target));
    if (chat === null) throw new HubError("CHAT_NOT_FOUND", "This chat is not known in this session.");
    return chat;
  };

  const change = async (chat: Chat, order: ChatOrder, becomes: ChatChange): Promise<Chat> => {
    const { sessionId, chatId } = chat;
    await inTime(link(sessionId).changeChat(chatId, order), orderMs);
    await ingest({
      sessionId,
      facts: [{ kind: "chat", jid: chatId, change: becomes, live: true }],
      closes: [],
    });
    return (await inbox.chat(sessionId, chatId)) ?? chat;
  };

  const newestOf = async ({ sessionId, chatId }: Chat) => {
    const newest = await inbox.messages({ sessionId, chatId, order: "desc", page: 1, limit: 1 });
    return newest.items[0] ?? null;
  };

  return {
    archive: async (target, value) => {
      const chat = await find(target);
      if (chat.archived === value) return chat;
      return change(chat, { kind: "archive", value, newest: await newestOf(chat) }, { archived: value });
    },
    pin: async (target, value) => {
      const chat = await find(target);
      return chat.pinned === value ? chat : change(chat, { kind: "pin", value }, { pinned: value });
    },
    mute: async (target, until) => {
      const chat = await find(target);
      if (chat.muteExpiration === until) return chat;
      return change(chat, { kind: "mute", until }, { muteExpiration: until });
    },
    showTyping: async (target, state) => {
      // A courtesy that nobody misses, while what matters is late.
      if (pressure.sheds("typing")) return;
      const chatId = await chatIdOf(target);
      await inTime(link(target.sessionId).showTyping(chatId, state), orderMs);
    },
  };
}
