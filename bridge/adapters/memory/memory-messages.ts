/** What is asked of messages and done to many of them, in memory. */
import type { ConversationRow, MessageRow } from "../embedded/doctypes.ts";
import type { Rows } from "../embedded/rows.ts";
import { keyOf, type MemoryTable } from "./memory-table.ts";

export function messageRows(
  messages: MemoryTable<MessageRow>,
  conversations: MemoryTable<ConversationRow>,
): Rows["messages"] {
  const inChat = (conversation: string): MessageRow[] => messages.by("conversation", conversation);
  const withKey = (
    conversation: string,
    fromMe: number,
    row: Pick<MessageRow, "message_id" | "participant">,
  ) => messages.by("key", keyOf(conversation, row.message_id, fromMe, row.participant))[0];

  return {
    ...messages,
    of: (conversation, { messageId, fromMe, participant }) =>
      withKey(conversation, fromMe, { message_id: messageId, participant }),
    withId: (conversation, messageId) =>
      messages
        .by("id", keyOf(conversation, messageId))
        .toReversed()
        .toSorted((a, b) => (a.timestamp < b.timestamp ? 1 : a.timestamp > b.timestamp ? -1 : 0)),
    count: (session) => {
      const all = messages.by("session", session);
      const sent = all.filter(({ from_me }) => from_me === 1).length;
      return { sent, received: all.length - sent };
    },
    countIn: (conversation) => inChat(conversation).length,
    spans: (session, chatIds) =>
      conversations
        .by("session", session)
        .filter(({ chat_id }) => chatIds?.includes(chat_id) ?? true)
        .flatMap(({ name, chat_id }) => {
          const times = inChat(name)
            .map(({ timestamp }) => timestamp)
            .sort();
          const [oldest] = times;
          const newest = times.at(-1);
          return oldest === undefined || newest === undefined
            ? []
            : [{ chatId: chat_id, messages: times.length, oldest, newest }];
        }),
    inBoth: (from, into) =>
      inChat(from).flatMap((row) => {
        const twin = withKey(into, row.from_me, row);
        return twin === undefined ? [] : [{ from: row, into: twin }];
      }),
    inBothOfMember: (session, from, into) =>
      messages.by("participant", keyOf(session, from)).flatMap((row) => {
        const twin = withKey(row.conversation, row.from_me, { ...row, participant: into });
        return twin === undefined ? [] : [{ from: row, into: twin }];
      }),
    withReactionOf: (session, hiddenId) =>
      messages
        .by("hiddenReactions", session)
        .filter(({ reactions }) => reactions?.includes(`"${hiddenId}"`) === true),
    linkAuthor: (session, participant, contact) => {
      for (const row of messages.by("participant", keyOf(session, participant)))
        if (row.contact !== contact) messages.update(row.name, { contact });
    },
    linkAnswers: (conversation, { messageId, instead, name }) => {
      for (const row of messages.by("answered", keyOf(conversation, messageId)))
        if (row.quoted_message === instead) messages.update(row.name, { quoted_message: name });
    },
    unlinkedAnswers: (conversation) =>
      inChat(conversation).filter((row) => row.quoted_message_id !== null && row.quoted_message === null),
    move: (from, into) => {
      for (const { name } of inChat(from)) messages.update(name, { conversation: into });
    },
    readdress: (conversation, { contact, from, into }) => {
      for (const row of inChat(conversation))
        messages.update(row.name, {
          contact: contact ?? row.contact,
          from_number: row.from_number === from ? into : row.from_number,
          to_number: row.to_number === from ? into : row.to_number,
        });
    },
    renameParticipant: (session, { from, into, contact, numbers }) => {
      for (const row of messages.by("participant", keyOf(session, from)))
        messages.update(row.name, {
          participant: into,
          contact: contact ?? row.contact,
          from_number: row.from_number === numbers.from ? numbers.into : row.from_number,
        });
    },
  };
}
