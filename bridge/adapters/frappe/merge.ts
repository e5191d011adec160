/**
 * A hidden id got its number: contact and conversation move into it. A merge may end at any of its calls and is then told
 * again: what is taken from a document is in the other before the document goes, and the contact remembers the merge last.
 */
import type { Position, WriteResult } from "../../adapter.ts";
import { CONVERSATION_FIELDS, type Conversations } from "./conversations.ts";
import { differing, isEmpty, number, text, type Fields, type Row } from "./field-values.ts";
import type { Authors } from "./author-links.ts";
import type { Answers } from "./late-answers.ts";
import { lidMark, type Aliases } from "./aliases.ts";
import { readState, STATE_FIELD, withLid, withoutLid, writeState } from "./hub-state.ts";
import type { Relinks } from "./relink.ts";
import { mergeTwins } from "./twins.ts";
import type { Sessions } from "./sessions.ts";
import { SiteRefusal } from "./site-answer.ts";
import { CONTACT, CONVERSATION, phoneNumberOf, type Site } from "./site.ts";
import { rejected } from "./write-many.ts";

export interface Merge {
  sessionId: string;
  from: string;
  into: string;
  position: Position;
}

export interface Merges {
  /** The caller holds the lanes of both chats. */
  apply(merge: Merge): Promise<WriteResult>;
  /** The site keeps nothing under the hidden id: whoever had it before has it no more. */
  passOn(merge: Merge): Promise<void>;
  /** Those of `ids` under which the site keeps a contact or a chat of the session. */
  known(sessionId: string, ids: string[]): Promise<Set<string>>;
}

/** What people fill in. The document that is merged away hands it over where the other has nothing. */
const OWNED = /^(?:linked_|assigned_)|^(?:labels|tags|notes|priority|custom_fields)$/;

export function createMerges(
  site: Site,
  {
    sessions,
    authors,
    answers,
    conversations,
    aliases,
    relinks,
  }: {
    sessions: Sessions;
    authors: Authors;
    answers: Answers;
    conversations: Conversations;
    aliases: Aliases;
    relinks: Relinks;
  },
): Merges {
  const { tables, names } = site;

  const handOver = async (doctype: string, from: string, into: string): Promise<void> => {
    const [source, target] = [await tables.get(doctype, from), await tables.get(doctype, into)];
    if (source === null || target === null) return;
    const owned: Fields = {};
    for (const [field, value] of Object.entries(source))
      if (OWNED.test(field) && typeof value === "string" && value !== "" && (target[field] ?? "") === "")
        owned[field] = value;
    if (!isEmpty(owned)) await tables.update(doctype, { name: into, changes: owned });
  };

  const contactRow = async (id: string): Promise<Row | null> => {
    const [row] = await tables.list(CONTACT, {
      fields: ["name", "contact_id", "phone_number", STATE_FIELD],
      filters: [["contact_id", "=", id]],
      orderBy: "creation asc",
      limit: 1,
    });
    return row ?? null;
  };

  const update = async (doctype: string, row: Row, wanted: Fields): Promise<void> => {
    const changes = differing(row, wanted);
    if (!isEmpty(changes)) await tables.update(doctype, { name: text(row, "name"), changes });
  };

  const moveContact = async ({ from, into }: Merge): Promise<boolean> => {
    const source = await contactRow(from);
    if (source === null) return false;
    const target = await contactRow(into);
    names.contacts.delete(from);
    if (target !== null) {
      await handOver(CONTACT, text(source, "name"), text(target, "name"));
      await relinks.join(CONTACT, text(source, "name"), text(target, "name"));
      return true;
    }
    const name = await relinks.rename(CONTACT, text(source, "name"), into);
    await update(CONTACT, { ...source, name }, { contact_id: into, phone_number: phoneNumberOf(into) });
    return true;
  };

  /** A hidden id belongs to one person. The hub tells who has it now, not that somebody else has it no more. */
  const forgetOther = async ({ sessionId, from, into }: Merge): Promise<void> => {
    const before = (await aliases.resolver(sessionId))(from);
    if (before === from || before === into) return;
    const held = await contactRow(before);
    if (held === null) return;
    const state = withoutLid(readState(held[STATE_FIELD]), lidMark(sessionId, from));
    await update(CONTACT, held, { [STATE_FIELD]: writeState(state) });
  };

  /** Last: what stands here counts as done. A rename may have ended before the number was written. */
  const rememberMerge = async (merge: Merge): Promise<void> => {
    const { sessionId, from, into, position } = merge;
    await forgetOther(merge);
    const kept = await contactRow(into);
    if (kept === null) return;
    const state = withLid(readState(kept[STATE_FIELD]), lidMark(sessionId, from), position);
    const isHalf = text(kept, "phone_number") === from;
    await update(CONTACT, kept, {
      ...(isHalf ? { phone_number: phoneNumberOf(into) } : {}),
      [STATE_FIELD]: writeState(state),
    });
    names.contacts.set(into, text(kept, "name"));
  };

  const mergeChat = async ({ sessionId, from, into }: Merge, sessionName: string): Promise<boolean> => {
    const rows = await conversations.allOf(sessionName, [from, into]);
    const target = rows.find((row) => text(row, "chat_id") === into);
    const sources = rows.filter((row) => text(row, "chat_id") === from);
    const chats = rows.map((row) => text(row, "name"));
    const known = await aliases.resolver(sessionId);
    const resolve = (id: string): string => (id === from ? into : known(id));
    const hadTwins = (await mergeTwins(site, relinks, { sessionId, chatId: into, chats, resolve })) > 0;
    const kept = target ?? sources[0];
    if (kept === undefined || sources.length === 0) return hadTwins;
    const name = text(kept, "name");
    const contact = await contactRow(into);
    let shown: Row = { contact: null, ...kept };
    const show = async (end: Fields): Promise<void> => {
      const wanted = {
        chat_id: into,
        contact: contact === null ? undefined : text(contact, "name"),
        phone_number: phoneNumberOf(into),
        ...end,
      };
      const changes = differing(shown, wanted);
      if (isEmpty(changes)) return;
      await tables.update(CONVERSATION, { name, changes });
      shown = { ...shown, ...changes };
    };
    if (target === undefined) await show({});
    // One at least, unless it is kept itself; several where the site was made to have them.
    for (const source of sources.filter((row) => row !== kept)) {
      await handOver(CONVERSATION, text(source, "name"), name);
      await show(laterEnd(source, shown));
      await relinks.join(CONVERSATION, text(source, "name"), name);
      names.chats.delete(text(source, "name"));
    }
    names.chats.set(name, into);
    await answers.joined({ sessionId, from, into }, name);
    return true;
  };

  return {
    known: async (sessionId, ids) => {
      const sessionName = await sessions.findName(sessionId);
      if (ids.length === 0 || sessionName === null) return new Set();
      const contacts = await tables.list(CONTACT, {
        fields: ["contact_id"],
        filters: [["contact_id", "in", ids]],
        orderBy: "name asc",
        limit: ids.length,
      });
      const chats = await conversations.rowsOf(sessionName, ids);
      return new Set([...contacts.map((row) => text(row, "contact_id")), ...chats.keys()]);
    },
    passOn: async (merge) => {
      try {
        await forgetOther(merge);
      } catch (error) {
        // Both remember it then, and who was told later counts.
        if (!(error instanceof SiteRefusal)) throw error;
      }
      aliases.settle(merge);
    },
    apply: async (merge) => {
      const { sessionId, into } = merge;
      const sessionName = await sessions.findName(sessionId);
      if (sessionName === null) return { outcome: "missing" };
      try {
        const contact = await moveContact(merge);
        const chat = await mergeChat(merge, sessionName);
        const kept = await contactRow(into);
        if (kept !== null) await authors.link(sessionName, new Map([[into, text(kept, "name")]]));
        await rememberMerge(merge);
        aliases.settle(merge);
        return { outcome: contact || chat ? "updated" : "unchanged" };
      } catch (error) {
        if (error instanceof SiteRefusal) return rejected(error);
        throw error;
      }
    },
  };
}

const COUNTS = ["unread_count", "total_messages"];

/** The site's datetimes sort as text. */
function laterEnd(source: Row, target: Row): Fields {
  const [theirs, ours] = [text(source, "last_message_time"), text(target, "last_message_time")];
  const [firstTheirs, firstOurs] = [text(source, "first_message_time"), text(target, "first_message_time")];
  const isLater = theirs > ours;
  const end: Fields = {};
  for (const field of CONVERSATION_FIELDS.filter((one) => one.startsWith("last_")))
    if (isLater && (typeof source[field] === "string" || typeof source[field] === "number"))
      end[field] = source[field];
  if (firstTheirs !== "" && (firstOurs === "" || firstTheirs < firstOurs))
    end["first_message_time"] = firstTheirs;
  // Not their sum: a merge that was cut short is told again. The next word of the chat tells how many there are.
  for (const field of COUNTS)
    if (number(source, field) > number(target, field)) end[field] = number(source, field);
  return end;
}
