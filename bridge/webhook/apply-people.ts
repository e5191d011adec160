/** Chats, contacts and groups. Events that tell one member alone have the whole read from the hub. */
import type { WriteResult } from "../adapter.ts";
import { mergeItemKey } from "../failed-items.ts";
import { chatLane } from "../lanes.ts";
import type { Chat, Contact } from "../records.ts";
import type { Applied } from "../applied.ts";
import { only, settle, type ApplyParts, type Handlers, type Told } from "./apply-parts.ts";

type Name =
  | "chat.updated"
  | "chat.archived"
  | "chat.unarchived"
  | "contact.updated"
  | "contact.merged"
  | "group.updated";

const NOTHING: Applied = { action: "ignored" };

export function peopleHandlers({ adapter, hub, lanes, failed }: ApplyParts): Handlers<Name> {
  const inLane = (sessionId: string, chatId: string, work: () => Promise<Applied>): Promise<Applied> =>
    lanes.run(chatLane(sessionId, chatId), work);

  const settledChat = (sessionId: string, chat: Chat, result: WriteResult): Promise<Applied> =>
    settle(failed, { sessionId, kind: "chat", key: chat.chatId }, result);
  const settledContact = (sessionId: string, contactId: string, result: WriteResult): Promise<Applied> =>
    settle(failed, { sessionId, kind: "contact", key: contactId }, result);

  const bringChat = async (sessionId: string, chatId: string): Promise<Applied> => {
    const found = await hub.chat(sessionId, chatId);
    if (found === null) return NOTHING;
    const { chat, position } = found;
    return settledChat(
      sessionId,
      chat,
      only(await adapter.upsertChats({ sessionId, position, items: [chat] })),
    );
  };

  const bringContact = async (sessionId: string, contactId: string): Promise<Applied> => {
    const found = await hub.contact(sessionId, contactId);
    if (found === null) return NOTHING;
    const items: Contact[] = [found.contact];
    const { position } = found;
    return settledContact(
      sessionId,
      contactId,
      only(await adapter.upsertContacts({ sessionId, position, items })),
    );
  };

  const archived = ({
    sessionId,
    data: { chatId },
  }: Told<"chat.archived" | "chat.unarchived">): Promise<Applied> =>
    inLane(sessionId, chatId, () => bringChat(sessionId, chatId));

  return {
    "chat.updated": ({ sessionId, position, data: { chat } }) =>
      inLane(sessionId, chat.chatId, async () =>
        settledChat(sessionId, chat, only(await adapter.upsertChats({ sessionId, position, items: [chat] }))),
      ),
    "chat.archived": archived,
    "chat.unarchived": archived,
    "contact.updated": ({ sessionId, position, data: { contact } }) =>
      inLane(sessionId, contact.id, async () => {
        const result = only(await adapter.upsertContacts({ sessionId, position, items: [contact] }));
        return settledContact(sessionId, contact.id, result);
      }),
    "contact.merged": ({ sessionId, position, data: { from, into } }) => {
      // Always in the same order: two merges that cross would wait for each other for ever.
      const [first, second] = from < into ? [from, into] : [into, from];
      return inLane(sessionId, first, () =>
        inLane(sessionId, second, async () =>
          settle(
            failed,
            { sessionId, kind: "contact", key: mergeItemKey({ from, into }) },
            await adapter.mergeContact({ sessionId, from, into, position }),
          ),
        ),
      );
    },
    "group.updated": ({ sessionId, data: { groupId } }) =>
      inLane(sessionId, groupId, async () => {
        const contact = await bringContact(sessionId, groupId);
        const chat = await bringChat(sessionId, groupId);
        return contact.rejected === undefined ? chat : contact;
      }),
  };
}
