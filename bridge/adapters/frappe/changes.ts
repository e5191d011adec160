/** Statuses, edits, deletions and reactions that come without their message. */
import type { Batch, Position, WriteResult } from "../../adapter.ts";
import type { MessageChange } from "../../records.ts";
import { isEmpty, text, type Row } from "./field-values.ts";
import { readState, STATE_FIELD } from "./hub-state.ts";
import { changesByEvent } from "./message-fields.ts";
import { createLasts } from "./last-message.ts";
import {
  candidateIds,
  isInChat,
  isOutgoing,
  messageKey,
  withIds,
  type Belonging,
} from "./message-identity.ts";
import type { Messages } from "./messages.ts";
import type { Sessions } from "./sessions.ts";
import { CONVERSATION, MESSAGE, type Site } from "./site.ts";

export interface Changes {
  /** Changes in one chat, whose lane the caller holds; `resolve`: the id under which a person is kept. */
  apply(batch: Batch<MessageChange>, chatId: string, resolve: (id: string) => string): Promise<WriteResult[]>;
}

export function createChanges(
  site: Site,
  { sessions, messages }: { sessions: Sessions; messages: Messages },
): Changes {
  const { tables, writes } = site;
  const lasts = createLasts(site);

  const idsOf = (sessionId: string, { chatId, messageId }: MessageChange): string[] => [
    ...new Set(
      [true, false].flatMap((fromMe) =>
        candidateIds(sessionId, { chatId, messageId, fromMe, participant: null }),
      ),
    ),
  ];

  return {
    apply: async ({ sessionId, position, items }, chatId, resolve) => {
      const sessionName = await sessions.findName(sessionId);
      if (sessionName === null) return items.map(() => ({ outcome: "missing" }));
      const time = await site.time();
      const rows = await messages.rowsOf(items.flatMap((change) => idsOf(sessionId, change)));
      const of: Belonging = { sessionName, chatId, chats: await messages.chatsOf(rows), resolve };

      const results: WriteResult[] = [];
      for (const change of items) {
        const candidates = withIds(rows, idsOf(sessionId, change)).filter((one) => isInChat(one, of));
        // Both sides of a chat may use one id. Only our own messages have a status that travels.
        const row = (change.kind === "status" ? candidates.find(isOutgoing) : undefined) ?? candidates[0];
        if (row === undefined) {
          results.push({ outcome: "missing" });
          continue;
        }
        const name = text(row, "name");
        const { participant = null, position: shown } = readState(row[STATE_FIELD]);
        const key = messageKey(sessionId, { ...change, fromMe: isOutgoing(row), participant });
        const changes = changesByEvent(row, change, {
          time,
          position,
          // The whole message was read when this had already happened.
          isStale: position !== null && site.positions.isStale(key, position - 1, shown),
          hasState: !tables.lacks(MESSAGE, STATE_FIELD),
          resolve,
        });
        if (isEmpty(changes)) {
          results.push({ outcome: "unchanged", id: name });
          continue;
        }
        const result = await writes.updateOne(MESSAGE, { name, changes });
        if (result.outcome === "updated") {
          Object.assign(row, changes); // the next change of this message starts from here
          if (change.kind === "edit") await showEdit(row, change, { sessionId, chatId, position });
        }
        results.push(result);
      }
      return results;
    },
  };

  /** The chat shows the new text if this is its last message. */
  async function showEdit(
    row: Row,
    change: MessageChange & { kind: "edit" },
    where: { sessionId: string; chatId: string; position: Position },
  ): Promise<void> {
    const name = text(row, "conversation");
    const [chat] = await tables.list(CONVERSATION, {
      fields: ["name", "last_message", "last_remote_message_id", STATE_FIELD],
      filters: [["name", "=", name]],
      orderBy: "name asc",
      limit: 1,
    });
    if (chat === undefined || text(chat, "last_remote_message_id") !== change.messageId) return;
    const changes = lasts.reworded({ ...where, row: chat }, change.content);
    if (!isEmpty(changes)) await lasts.write(name, changes);
  }
}
