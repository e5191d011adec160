/**
 * What a CRM holds of each chat it says of a whole session at once, and has to count all of it each time; the bridge asks page by
 * page. One answer serves the pages of a pass: for moments, until its chats are written, and not into the next pass.
 */
import type { ChatDigest, CrmAdapter } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { createElapsed } from "../../elapsed.ts";

const FRESH_MS = 30_000;

interface Answer {
  digests: Promise<ChatDigest[]>;
  at: number;
  /** Chats that were written since it was asked for. */
  written: Set<string>;
}

export function withSharedDigests(adapter: CrmAdapter, clock: Clock): CrmAdapter {
  const elapsed = createElapsed(clock);
  const answers = new Map<string, Answer>();

  const ask = (sessionId: string): Answer => {
    const answer = { digests: adapter.chatDigests(sessionId), at: elapsed(), written: new Set<string>() };
    answers.set(sessionId, answer);
    answer.digests.catch(() => {
      if (answers.get(sessionId) === answer) answers.delete(sessionId);
    });
    return answer;
  };

  const answerFor = (sessionId: string, chatIds: string[] | undefined): Answer => {
    const known = answers.get(sessionId);
    if (known === undefined || elapsed() - known.at >= FRESH_MS) return ask(sessionId);
    const isWritten =
      chatIds === undefined ? known.written.size > 0 : chatIds.some((chatId) => known.written.has(chatId));
    return isWritten ? ask(sessionId) : known;
  };

  const noteChats = (sessionId: string, chatIds: string[]): void => {
    // Whose chat that of a hidden id is, the CRM knows.
    if (chatIds.some((chatId) => chatId.endsWith("@lid"))) answers.delete(sessionId);
    for (const chatId of chatIds) answers.get(sessionId)?.written.add(chatId);
  };

  /** Before and after: who asks in between may be told of either. */
  const around = async <T>(note: () => void, work: () => Promise<T>): Promise<T> => {
    note();
    try {
      return await work();
    } finally {
      note();
    }
  };
  const ofAllChats = <T>(sessionId: string, work: () => Promise<T>): Promise<T> =>
    around(() => answers.delete(sessionId), work);
  const ofChats = <T>(
    { sessionId, items }: { sessionId: string; items: { chatId: string }[] },
    work: () => Promise<T>,
  ): Promise<T> => {
    const chatIds = [...new Set(items.map(({ chatId }) => chatId))];
    return around(() => noteChats(sessionId, chatIds), work);
  };

  return {
    ...adapter,
    // A pass begins with the session, or with how much there is in all: people may have deleted something since the last one.
    upsertSession: (session, position) =>
      ofAllChats(session.sessionId, () => adapter.upsertSession(session, position)),
    totals: (sessionId) => ofAllChats(sessionId, () => adapter.totals(sessionId)),
    // One that names its hidden id may be merged with it.
    upsertContacts: (batch) => ofAllChats(batch.sessionId, () => adapter.upsertContacts(batch)),
    mergeContact: (merge) => ofAllChats(merge.sessionId, () => adapter.mergeContact(merge)),
    upsertMessages: (batch) => ofChats(batch, () => adapter.upsertMessages(batch)),
    changeMessages: (batch) => ofChats(batch, () => adapter.changeMessages(batch)),
    chatDigests: async (sessionId, chatIds) => {
      const all = await answerFor(sessionId, chatIds).digests;
      const wanted = chatIds === undefined ? null : new Set(chatIds);
      return all.filter(({ chatId }) => wanted === null || wanted.has(chatId));
    },
  };
}
