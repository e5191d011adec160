/**
 * The unread count of a chat moves with each message that arrives. That is told once for many of them: the chat is marked in
 * the transaction of the message, and its `chat.updated` is written a moment later, with the count as it is then.
 */
import type { Jid } from "../../../core/jid.ts";
import type { Session } from "../../../core/session.ts";
import type { Engine } from "../engine.ts";
import type { Chats } from "./chats.ts";
import type { Tell } from "./work.ts";

interface UntoldRow {
  chat: number;
  session: number;
  jid: Jid;
}

/** Writes the events of at most `limit` marked chats; returns how many. */
export function createTellChats(
  engine: Engine,
  { chats, tell }: { chats: Pick<Chats, "get">; tell: Tell },
): (limit: number, now: Date) => number {
  const { db } = engine;
  // CROSS keeps the planner from walking all chats.
  const untold = db.prepare<[number], UntoldRow>(
    "SELECT u.chat, c.session, c.jid FROM untold_chat u CROSS JOIN chat c ON c.id = u.chat LIMIT ?",
  );
  const told = db.prepare("DELETE FROM untold_chat WHERE chat = ?");

  const tellOne = (session: Session | undefined, jid: Jid, now: Date): void => {
    if (session === undefined || session.deletedAt !== null) return;
    const chat = chats.get(session, jid);
    if (chat === null) return;
    const work = { session, now, repeated: false, stored: [], untold: new Set<number>(), lastSeq: null };
    tell(work, { kind: "chat", chat, archived: false, others: true });
  };

  return (limit, now) =>
    engine.transaction(() => {
      const marked = untold.all(limit);
      for (const { chat, session, jid } of marked) {
        told.run(chat);
        tellOne(engine.sessionById(session), jid, now);
      }
      return marked.length;
    });
}
