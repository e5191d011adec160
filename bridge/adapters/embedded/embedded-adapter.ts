/** The adapter of a CRM that lives inside the bridge: the rules over whichever engine keeps the rows. */
import type { Batch, CrmAdapter, DocumentReader, WriteResult } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { changeMessage } from "./change-message.ts";
import { createClientStore } from "./client-store.ts";
import { mergePerson } from "./merge-person.ts";
import { momentOf, secondsOf } from "./moments.ts";
import type { Rows } from "./rows.ts";
import { writeOne, type Storage } from "./storage.ts";
import { keyText } from "./text.ts";
import { writeChat } from "./write-chat.ts";
import { writeContact } from "./write-contact.ts";
import { writeMessage } from "./write-message.ts";
import { noteSession, writeSession } from "./write-session.ts";
import type { Writing } from "./writing.ts";

export function createEmbeddedAdapter({
  name,
  rows,
  storage,
  documents,
  clock,
}: {
  name: string;
  rows: Rows;
  storage: Storage;
  documents: DocumentReader;
  clock: Clock;
}): CrmAdapter {
  const writing: Writing = { rows, now: () => momentOf(clock.now()) };

  const one = (work: () => WriteResult): Promise<WriteResult> => writeOne(storage, work);
  const each = <T>(
    { sessionId, position, items }: Batch<T>,
    write: (writing: Writing, session: string, item: T, position: Batch<T>["position"]) => WriteResult,
  ): Promise<WriteResult[]> =>
    storage.write(
      items.map((item) => () => write(writing, keyText(sessionId, "session id"), item, position)),
    );

  return {
    name,
    check: storage.check,
    prepare: storage.prepare,
    close: storage.close,
    upsertSession: (session, position) => one(() => writeSession(writing, session, position)),
    noteSession: (sessionId, notes) => one(() => noteSession(writing, sessionId, notes)),
    upsertContacts: (batch) => each(batch, writeContact),
    upsertChats: (batch) => each(batch, writeChat),
    upsertMessages: (batch) => each(batch, writeMessage),
    changeMessages: (batch) => each(batch, changeMessage),
    mergeContact: ({ sessionId, from, into, position }) =>
      one(() => {
        const merge = {
          session: keyText(sessionId, "session id"),
          from: keyText(from, "hidden id"),
          into: keyText(into, "contact id"),
          position,
        };
        return { outcome: mergePerson(writing, merge) ? "updated" : "unchanged" };
      }),
    totals: (sessionId) =>
      storage.read(() => {
        const { sent, received } = rows.messages.count(sessionId);
        return {
          contacts: rows.contacts.count(sessionId),
          chats: rows.conversations.count(sessionId),
          messages: sent + received,
        };
      }),
    chatDigests: (sessionId, chatIds) =>
      storage.read(() =>
        rows.messages.spans(sessionId, chatIds ?? null).map(({ chatId, messages, oldest, newest }) => ({
          chatId,
          messages,
          oldest: secondsOf(oldest),
          newest: secondsOf(newest),
        })),
      ),
    // A session's record is named by the session's id.
    sessionIdOf: (wanted) => storage.read(() => rows.sessions.of(wanted)?.session_id ?? null),
    clients: createClientStore(writing, storage),
    documents,
  };
}
