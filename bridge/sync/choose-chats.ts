/** Which chats' messages a sync reads: the ones with the newest message, but for those with nothing new. */
import type { ChatDigest, CrmAdapter } from "../adapter.ts";
import type { HubClient } from "../hub-client.ts";
import type { Chat } from "../records.ts";
import type { SyncLimits } from "./budget.ts";
import { readPages } from "./read-pages.ts";

export interface ChosenChats {
  chatIds: string[];
  /** Messages they will bring. */
  messages: number;
}

type Limits = Pick<SyncLimits, "messageChats" | "messagesPerChat">;

/** `all`: also those in which nothing is new. */
export async function chooseChats(
  sessionId: string,
  {
    hub,
    adapter,
    limits,
    all,
  }: {
    hub: Pick<HubClient, "chats">;
    adapter: Pick<CrmAdapter, "chatDigests">;
    limits: Limits;
    all: boolean;
  },
): Promise<ChosenChats> {
  const chosen: ChosenChats = { chatIds: [], messages: 0 };
  if (limits.messagesPerChat === 0) return chosen;
  const pages = readPages({ read: (page) => hub.chats(sessionId, page), limit: limits.messageChats });
  for await (const { items } of pages) {
    const digests = all
      ? []
      : await adapter.chatDigests(
          sessionId,
          items.map(({ chatId }) => chatId),
        );
    const digestOf = new Map(digests.map((digest) => [digest.chatId, digest]));
    for (const chat of items) {
      if (chat.totalMessages === 0 || (!all && isComplete(chat, digestOf.get(chat.chatId), limits))) continue;
      chosen.chatIds.push(chat.chatId);
      chosen.messages += Math.min(chat.totalMessages, limits.messagesPerChat);
    }
  }
  return chosen;
}

/** The CRM has as many messages as a sync would bring, and the newest one is among them. */
export function isComplete(
  {
    totalMessages,
    lastMessage,
    lastMessageAt,
  }: Pick<Chat, "totalMessages" | "lastMessage" | "lastMessageAt">,
  digest: ChatDigest | undefined,
  { messagesPerChat }: Pick<SyncLimits, "messagesPerChat">,
): boolean {
  if (digest === undefined) return totalMessages === 0;
  const newest = lastMessage?.timestamp ?? lastMessageAt ?? 0;
  return digest.messages >= Math.min(totalMessages, messagesPerChat) && (digest.newest ?? 0) >= newest;
}
