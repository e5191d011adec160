/**
 * The chats of one transaction, each read once and what changed of it written once: messages of one chat come by the dozen, and
 * every one moves its chat's last message and counter. Nobody else can write while a transaction runs.
 */
import type { ConversationRow, Row } from "../embedded/doctypes.ts";
import type { Rows } from "../embedded/rows.ts";
import type { Db } from "./connection.ts";

type Conversations = Rows["conversations"];

export interface HeldChats {
  conversations: Conversations;
  /** What changed goes into the tables. */
  write(): void;
  /** The transaction is over, or part of it was taken back. */
  forget(): void;
}

interface Held {
  row: ConversationRow;
  changes: Row | null;
}

/** A chat that goes by another name has no place here: statements look for it under that name. */
const KEYS = ["session", "chat_id"];

export function holdChats(db: Db, conversations: Conversations): HeldChats {
  const byName = new Map<string, Held>();
  const nameOf = new Map<string, string>();
  const keyOf = (session: string, chatId: string): string => `${session}|${chatId}`;

  const hold = (row: ConversationRow | undefined): ConversationRow | undefined => {
    if (row === undefined || !db.inTransaction) return row;
    byName.set(row.name, { row, changes: null });
    nameOf.set(keyOf(row.session, row.chat_id), row.name);
    return row;
  };

  const drop = (name: string): void => {
    const held = byName.get(name);
    if (held === undefined) return;
    byName.delete(name);
    nameOf.delete(keyOf(held.row.session, held.row.chat_id));
  };

  const writeOne = (name: string, held: Held): void => {
    if (held.changes === null) return;
    conversations.update(name, held.changes);
    held.changes = null;
  };

  return {
    conversations: {
      ...conversations,
      of: (session, chatId) => {
        const name = nameOf.get(keyOf(session, chatId));
        return (
          (name === undefined ? undefined : byName.get(name)?.row) ?? hold(conversations.of(session, chatId))
        );
      },
      named: (name) => byName.get(name)?.row ?? hold(conversations.named(name)),
      update: (name, changes) => {
        const held = byName.get(name);
        if (held !== undefined && !KEYS.some((key) => key in changes)) {
          // Whoever was given the row before keeps it as it was.
          held.row = { ...held.row, ...changes };
          held.changes = { ...held.changes, ...changes };
          return;
        }
        if (held !== undefined) writeOne(name, held);
        drop(name);
        conversations.update(name, changes);
      },
      remove: (name) => {
        drop(name);
        conversations.remove(name);
      },
    },
    write: () => {
      for (const [name, held] of byName) writeOne(name, held);
    },
    forget: () => {
      byName.clear();
      nameOf.clear();
    },
  };
}
