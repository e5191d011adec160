/** What the CRM is known to refuse of a session: it stays a difference, and is not read again for it. */
import { mergeOfItemKey, messageOfItemKey } from "../failed-items.ts";
import type { FailedItem } from "../state/bridge-state.ts";

export interface Refused {
  contacts: number;
  chats: number;
  messagesIn(chatId: string): number;
}

export function refusedOf(items: FailedItem[]): Refused {
  const messages = new Map<string, number>();
  for (const { kind, key } of items) {
    if (kind !== "message") continue;
    const { chatId } = messageOfItemKey(key);
    messages.set(chatId, (messages.get(chatId) ?? 0) + 1);
  }
  const having = (wanted: FailedItem["kind"]): number =>
    items.filter(({ kind, key }) => kind === wanted && mergeOfItemKey(key) === null).length;
  return {
    contacts: having("contact"),
    chats: having("chat"),
    messagesIn: (chatId) => messages.get(chatId) ?? 0,
  };
}
