/**
 * What is kept under a hidden id beside contact and chat: its messages in groups, its number in messages, its reactions. It
 * moves before those two do, each chat in its lane: as long as they are there, a merge that was cut short begins anew.
 */
import type { WriteResult } from "../../adapter.ts";
import { chatLane } from "../../lanes.ts";
import { lidMark, type Aliases } from "./aliases.ts";
import type { Authors } from "./author-links.ts";
import type { ByNumber } from "./by-number.ts";
import type { Contacts } from "./contacts.ts";
import type { Conversations } from "./conversations.ts";
import { differing, isEmpty, number, text, type Fields, type Row } from "./field-values.ts";
import { isSameState, readState, STATE_FIELD, writeState } from "./hub-state.ts";
import type { Merge } from "./merge.ts";
import { MESSAGE_FIELDS, numberOf, sentAt } from "./message-fields.ts";
import { byPerson, reactionFields } from "./reactions.ts";
import type { Relinks } from "./relink.ts";
import type { Sessions } from "./sessions.ts";
import { CONVERSATION, MESSAGE, type Site } from "./site.ts";
import type { Filter } from "./site-tables.ts";
import { mergeTwins } from "./twins.ts";

export interface Leftovers {
  /** The caller holds no lane of a chat. `isWhole`: false where the site is too slow to tell all that there is. */
  join(merge: Merge): Promise<WriteResult & { isWhole?: boolean }>;
}

export function createLeftovers(
  site: Site,
  parts: {
    sessions: Sessions;
    contacts: Contacts;
    conversations: Conversations;
    aliases: Aliases;
    relinks: Relinks;
    authors: Authors;
    byNumber: ByNumber;
  },
): Leftovers {
  const { tables, writes, lanes, hiddenReactions } = site;
  const { sessions, contacts, conversations, aliases, relinks, authors, byNumber } = parts;

  const messagesOf = (filters: Parameters<typeof tables.all>[1]["filters"], fields: string[]) =>
    tables.all(MESSAGE, { fields, filters, orderBy: "name asc" });

  /** What a chat shows as its total never falls but where two of them were one. */
  const countWithout = async (conversation: string, gone: number): Promise<void> => {
    const [row = {}] = await tables.list(CONVERSATION, {
      fields: ["name", "total_messages"],
      filters: [["name", "=", conversation]],
      orderBy: "name asc",
      limit: 1,
    });
    const held = await tables.count(MESSAGE, [["conversation", "=", conversation]]);
    const total = Math.max(held, number(row, "total_messages") - gone);
    const changes = differing(row, { total_messages: total });
    if (!isEmpty(changes)) await tables.update(CONVERSATION, { name: conversation, changes });
  };

  /** The messages of the person in one conversation, and those they reacted to. */
  const joinIn = async (
    { sessionId, from, into }: Merge,
    { conversation, chatId }: { conversation: string; chatId: string },
    reacted: string[],
  ): Promise<boolean> => {
    const known = await aliases.resolver(sessionId);
    const resolve = (id: string): string => (id === from ? into : known(id));
    const gone = await mergeTwins(site, relinks, { sessionId, chatId, chats: [conversation], resolve });
    if (gone > 0) await countWithout(conversation, gone);
    const contact = (await contacts.find([into])).get(into);
    const time = await site.time();
    const rows = new Map<string, Row>();
    for (const where of [
      ["from_number", "=", numberOf(from)],
      ["to_number", "=", numberOf(from)],
      ...(reacted.length === 0 ? [] : [["name", "in", reacted]]),
    ] as [string, string, string | string[]][])
      for (const row of await messagesOf([["conversation", "=", conversation], where], MESSAGE_FIELDS))
        rows.set(text(row, "name"), row);
    const updates = [...rows.values()].flatMap((row) => {
      const changes = differing(row, wantedOf(row, { from, into, contact, resolve }));
      return isEmpty(changes)
        ? []
        : [{ name: text(row, "name"), changes: { ...sentAt(row, time), ...changes } }];
    });
    await writes.updateAll(MESSAGE, updates);
    if (contact === undefined) authors.moved(writtenBy(from, rows), from, into);
    return gone > 0 || updates.length > 0;
  };

  /** Conversations with anything of the hidden id; of the groups only those known by their reactions where the site is too slow. */
  const namesOf = async (
    sessionName: string,
    from: string,
    reacted: string[],
  ): Promise<{ names: string[]; isWhole: boolean }> => {
    const fields = ["name", "conversation"];
    const ofSession = ["session", "=", sessionName] satisfies Filter;
    const sent = await byNumber.find(fields, [["from_number", "=", numberOf(from)], ofSession]);
    const received = await byNumber.find(fields, [["to_number", "=", numberOf(from)], ofSession]);
    const reactedTo = reacted.length === 0 ? [] : await messagesOf([["name", "in", reacted]], fields);
    const rows = [...(sent ?? []), ...(received ?? []), ...reactedTo];
    const isWhole = sent !== null && received !== null;
    const own = isWhole ? [] : await conversations.allOf(sessionName, [from]);
    const names = [...own.map((row) => text(row, "name")), ...rows.map((row) => text(row, "conversation"))];
    return { names: [...new Set(names)], isWhole };
  };

  return {
    join: async (merge) => {
      const { sessionId, from } = merge;
      const sessionName = await sessions.findName(sessionId);
      if (sessionName === null) return { outcome: "missing" };
      const reacted = hiddenReactions.of(lidMark(sessionId, from));
      const { names, isWhole } = await namesOf(sessionName, from, reacted);
      const chats = await conversations.chatIdsOf(names);
      let isChanged = false;
      for (const name of names) {
        const chatId = chats.get(name) ?? name;
        const work = () => joinIn(merge, { conversation: name, chatId }, reacted);
        if (await lanes.run(chatLane(sessionId, chatId), work)) isChanged = true;
      }
      hiddenReactions.remove(lidMark(sessionId, from), reacted);
      return { outcome: isChanged ? "updated" : "unchanged", isWhole };
    },
  };
}

/** Names of the documents whose author has no contact. */
const writtenBy = (from: string, rows: Map<string, Row>): string[] =>
  [...rows].flatMap(([name, row]) =>
    text(row, "from_number") === numberOf(from) && text(row, "contact") === "" ? [name] : [],
  );

function wantedOf(
  row: Row,
  {
    from,
    into,
    contact,
    resolve,
  }: { from: string; into: string; contact: string | undefined; resolve: (id: string) => string },
): Fields {
  const state = readState(row[STATE_FIELD]);
  const reactions = byPerson(state.reactions ?? [], resolve);
  const isTheirs = text(row, "from_number") === numberOf(from);
  const next = {
    ...state,
    ...(state.participant === undefined ? {} : { participant: resolve(state.participant) }),
    ...(state.reactions === undefined ? {} : { reactions }),
  };
  return {
    ...(isTheirs ? { from_number: numberOf(into), contact } : {}),
    ...(text(row, "to_number") === numberOf(from) ? { to_number: numberOf(into) } : {}),
    ...(state.reactions === undefined ? {} : reactionFields(reactions)),
    ...(isSameState(next, state) ? {} : { [STATE_FIELD]: writeState(next) }),
  };
}
