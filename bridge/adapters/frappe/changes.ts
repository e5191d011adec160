/** Statuses, edits, deletions and reactions that come without their message. */
import type { Batch, Position, WriteResult } from "../../adapter.ts";
import type { MessageChange } from "../../records.ts";
import { isEmpty, text, type Row } from "./field-values.ts";
import { isHidden, lidMark } from "./aliases.ts";
import { readState, STATE_FIELD } from "./hub-state.ts";
import { changesByEvent, isOnlyRemembered } from "./message-fields.ts";
import { createLasts } from "./last-message.ts";
import {
  candidateIds,
  findMessage,
  isInChat,
  isOutgoing,
  messageKey,
  withIds,
  type Belonging,
  type MessageRows,
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

  const idsOf = (
    sessionId: string,
    { chatId, messageId, fromMe, participant = null }: MessageChange,
  ): string[] => [
    ...new Set(
      (fromMe === undefined ? [true, false] : [fromMe]).flatMap((isOurs) =>
        candidateIds(sessionId, { chatId, messageId, fromMe: isOurs, participant }),
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
        const row = target(rows, { change, ids: idsOf(sessionId, change), of });
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
        const isSeen = !isOnlyRemembered(row, changes);
        if (result.outcome === "updated") {
          Object.assign(row, changes); // the next change of this message starts from here
          if (change.kind === "edit") await showEdit(row, change, { sessionId, chatId, position });
        }
        if (change.kind === "reaction") noteHidden(sessionId, row);
        results.push(isSeen || result.outcome !== "updated" ? result : { outcome: "unchanged", id: name });
      }
      return results;
    },
  };

  /** Several may have used one id. Only our own messages have a status that travels; events of before name no author. */
  function target(
    rows: MessageRows,
    { change, ids, of }: { change: MessageChange; ids: string[]; of: Belonging },
  ): Row | undefined {
    const { kind, fromMe, participant = null } = change;
    const candidates = withIds(rows, ids).filter((one) => isInChat(one, of));
    if (kind === "status") return candidates.find(isOutgoing);
    if (fromMe === undefined) return candidates[0];
    return findMessage(rows, ids, { fromMe, participant }, of);
  }

  /** Who reacted under a hidden id may do so under the number before anybody tells that both are one. */
  function noteHidden(sessionId: string, row: Row): void {
    const { reactions = [] } = readState(row[STATE_FIELD]);
    if (reactions.length < 2) return;
    for (const { from } of reactions.filter((one) => isHidden(one.from)))
      site.hiddenReactions.add(lidMark(sessionId, from), text(row, "name"));
  }

  /** The chat shows the new text if this is its last message. */
  async function showEdit(
    row: Row,
    change: MessageChange & { kind: "edit" },
    where: { sessionId: string; chatId: string; position: Position },
  ): Promise<void> {
    const name = text(row, "conversation");
    const [chat] = await tables.list(CONVERSATION, {
      fields: ["name", "last_message", "last_message_time", "last_remote_message_id", STATE_FIELD],
      filters: [["name", "=", name]],
      orderBy: "name asc",
      limit: 1,
    });
    if (chat === undefined || text(chat, "last_remote_message_id") !== change.messageId) return;
    // Somebody else's of the same id may be the last.
    const { read } = await site.time();
    if (read(chat["last_message_time"]) !== read(row["timestamp"])) return;
    const changes = lasts.reworded({ ...where, row: chat }, change.content);
    if (!isEmpty(changes)) await lasts.write(name, changes);
  }
}
