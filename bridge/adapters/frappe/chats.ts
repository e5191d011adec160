/** Chats as the hub's lists and events bring them, into conversations. */
import type { Batch, WriteResult } from "../../adapter.ts";
import type { Chat } from "../../records.ts";
import { differing, flag, isEmpty, nameOrNull, number, text, type Fields, type Row } from "./field-values.ts";
import type { Contacts } from "./contacts.ts";
import { personOf, type Conversations, type WantedChat } from "./conversations.ts";
import { readState, STATE_FIELD, writeState, type HubState } from "./hub-state.ts";
import { createLasts, type LastMessage } from "./last-message.ts";
import type { Sessions } from "./sessions.ts";
import { CONVERSATION, isPerson, nowSeconds, phoneNumberOf, type Site } from "./site.ts";
import { isPossible, type SiteTime } from "./site-time.ts";
import type { Update } from "./site-tables.ts";

export interface Chats {
  /** The caller holds the lanes of these chats. */
  upsert(batch: Batch<Chat>): Promise<WriteResult[]>;
}

export function createChats(
  site: Site,
  {
    sessions,
    contacts,
    conversations,
  }: { sessions: Sessions; contacts: Contacts; conversations: Conversations },
): Chats {
  const { writes, positions, clock } = site;
  const lasts = createLasts(site);

  return {
    upsert: async ({ sessionId, position, items }) => {
      const sessionName = await sessions.nameOf(sessionId);
      const time = await site.time();
      const rows = await conversations.rowsOf(sessionName, [...new Set(items.map(({ chatId }) => chatId))]);
      const syncedAt = time.write(nowSeconds(clock));
      const keyOf = ({ chatId }: Chat): string => `chat|${sessionId}|${chatId}`;

      const fresh = [...new Map(items.map((chat) => [chat.chatId, chat])).values()].filter(
        ({ chatId }) => !rows.has(chatId),
      );
      const wanted = fresh.map((chat): WantedChat => ({
        chatId: chat.chatId,
        person: personOf(chat.chatId, null),
        fields: { ...fieldsOf(chat, {}), ...firstAndLast(chat, {}), last_synced_at: syncedAt },
        state: stateOf({}, chat),
      }));
      const made = await conversations.create(sessionName, wanted);

      const results: WriteResult[] = [];
      const updates: (Update & { index: number })[] = [];
      const linked = await contactsOf(rows, items);
      for (const [index, chat] of items.entries()) {
        const outcome = made.get(chat.chatId);
        if (outcome !== undefined && "refused" in outcome) {
          results[index] = { outcome: "rejected", error: outcome.refused };
          continue;
        }
        if (outcome !== undefined && "created" in outcome) {
          positions.shown(keyOf(chat), position);
          results[index] = { outcome: "created", id: outcome.created };
          continue;
        }
        const row = outcome === undefined ? rows.get(chat.chatId) : outcome.row;
        if (row === undefined) throw new Error(`no conversation for a chat of ${sessionId}`);
        const name = text(row, "name");
        results[index] = { outcome: "unchanged", id: name };
        if (positions.isStale(keyOf(chat), position, readState(row[STATE_FIELD]).position)) continue;
        positions.shown(keyOf(chat), position);
        const end = firstAndLast(chat, row);
        const changes = differing(row, { ...fieldsOf(chat, row), ...end, contact: linked.get(chat.chatId) });
        if (isEmpty(changes)) continue;
        const state = writeState(
          stateOf(readState(row[STATE_FIELD]), "last_message_time" in end ? chat : null),
        );
        updates.push({
          index,
          name,
          changes: { ...changes, last_synced_at: syncedAt, [STATE_FIELD]: state },
        });
      }
      (await writes.updateAll(CONVERSATION, updates)).forEach((result, n) => {
        results[updates[n]?.index ?? -1] = result;
      });
      return results;

      /** Never a later first, never an earlier last. */
      function firstAndLast(chat: Chat, row: Row): Fields {
        const first = time.read(row["first_message_time"]);
        const isEarlier = chat.firstMessageTime !== null && (first === null || chat.firstMessageTime < first);
        const end = lastOf(chat);
        return {
          first_message_time:
            isEarlier && chat.firstMessageTime !== null ? time.write(chat.firstMessageTime) : undefined,
          ...(end === null ? {} : lasts.fields({ sessionId, chatId: chat.chatId, row, time, position }, end)),
        };
      }

      function stateOf(state: HubState, told: Chat | null): HubState {
        if (position === null) return state;
        return { ...state, position, ...(told === null ? {} : { lastPosition: position }) };
      }

      /** A chat of a person that has no contact yet gets it. */
      async function contactsOf(known: Map<string, Row>, chats: Chat[]): Promise<Map<string, string>> {
        const lonely = chats.filter(({ chatId }) => {
          const row = known.get(chatId);
          return row !== undefined && text(row, "contact") === "" && isPerson(chatId);
        });
        return contacts.ensure(
          sessionName,
          lonely.map(({ chatId }) => ({ id: chatId })),
        );
      }

      function fieldsOf(chat: Chat, row: Row): Fields {
        return {
          contact_name: nameOrNull(chat.contactName),
          phone_number: isPerson(chat.chatId) ? phoneNumberOf(chat.chatId) : undefined,
          is_group: flag(chat.isGroup),
          is_broadcast: flag(chat.isBroadcast),
          is_read_only: flag(chat.isReadOnly),
          is_archived: flag(chat.archived),
          is_pinned: flag(chat.pinned),
          is_muted: flag(chat.isMuted),
          mute_expiration: muteEnd(chat.muteExpiration, time),
          unread_count: chat.unreadCount,
          // The site may hold messages that the hub no longer has.
          total_messages: Math.max(chat.totalMessages, number(row, "total_messages")),
        };
      }
    },
  };
}

/** Seconds above this are milliseconds: WhatsApp has used both for the end of a mute. */
const LAST_SECONDS = 100_000_000_000;

/** A mute without an end is negative, or ends when no calendar does. */
function muteEnd(end: number | null, time: SiteTime): string | null {
  if (end === null || end <= 0) return null;
  const seconds = end > LAST_SECONDS ? Math.floor(end / 1000) : end;
  return isPossible(seconds) ? time.write(seconds) : null;
}

const lastOf = ({ lastMessage, lastMessageText }: Chat): LastMessage | null =>
  lastMessage === null ? null : { ...lastMessage, content: lastMessageText ?? lastMessage.content };
