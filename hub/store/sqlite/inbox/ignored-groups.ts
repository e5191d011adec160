/** A session that ignores groups takes nothing new of them; what the hub holds of them, such as own sends, stays right. */
import type { Fact, MessageRef } from "../../../core/facts.ts";
import { canonicalJid, isGroupJid, type Jid } from "../../../core/jid.ts";
import type { Session } from "../../../core/session.ts";
import type { Chats } from "./chats.ts";
import type { Messages } from "./messages.ts";

interface Parts {
  chats: Pick<Chats, "find">;
  messages: Pick<Messages, "rowsOfId">;
}

export type GroupFilter = (session: Session, facts: Fact[]) => Fact[];

export function createGroupFilter({ chats, messages }: Parts): GroupFilter {
  const hasMessage = (session: Session, chatId: Jid, id: string): boolean =>
    messages.rowsOfId(session.id, id).some(({ chat_jid }) => chat_jid === canonicalJid(chatId));

  const chatStaysRight = (session: Session, jid: Jid): boolean =>
    !isGroupJid(jid) || chats.find(session.id, canonicalJid(jid)) !== undefined;

  const staysRight = (session: Session, { chatId, id }: MessageRef): boolean =>
    !isGroupJid(chatId) || hasMessage(session, chatId, id);

  /** A receipt can name messages that are here and others that are not. */
  const ofHeldMessages = (session: Session, fact: Fact & { kind: "status" }): Fact[] => {
    const ids = fact.ids.filter((id) => staysRight(session, { chatId: fact.chatId, id }));
    return ids.length === 0 ? [] : [{ ...fact, ids }];
  };

  const isTaken = (session: Session, fact: Exclude<Fact, { kind: "status" | "history-paused" }>): boolean => {
    if ("target" in fact) return staysRight(session, fact.target);
    switch (fact.kind) {
      case "message":
        return staysRight(session, fact.message);
      case "contact":
      case "profile":
      case "chat":
      case "chat-read":
        return chatStaysRight(session, fact.jid);
      case "call":
        return !fact.isGroup;
      case "group":
      case "participants":
        return false;
      case "lid":
      case "history":
        return true;
    }
  };

  const taken = (session: Session, fact: Fact): Fact[] => {
    if (fact.kind === "status") return ofHeldMessages(session, fact);
    if (fact.kind === "history-paused") return [fact];
    return isTaken(session, fact) ? [fact] : [];
  };

  return (session, facts) =>
    session.settings.ignoreGroups ? facts.flatMap((fact) => taken(session, fact)) : facts;
}
