/**
 * A hidden id got its number: contact and conversation are renamed into it. Frappe's own rename moves every link in one
 * request, whatever points at them, and merges into a document that exists.
 */
import type { Position, WriteResult } from "../../adapter.ts";
import { CONVERSATION_FIELDS, type Conversations } from "./conversations.ts";
import { differing, isEmpty, text, type Fields, type Row } from "./field-values.ts";
import { lidMark, type Aliases } from "./aliases.ts";
import { readState, STATE_FIELD, writeState } from "./hub-state.ts";
import { mergeTwins } from "./twins.ts";
import { mark, type Sessions } from "./sessions.ts";
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
  /** Those of `ids` under which the site keeps a contact or a chat of the session. */
  known(sessionId: string, ids: string[]): Promise<Set<string>>;
}

/** What people fill in. The document that is merged away hands it over where the other has nothing. */
const OWNED = /^(?:linked_|assigned_)|^(?:labels|tags|notes|priority|custom_fields)$/;

export function createMerges(
  site: Site,
  {
    sessions,
    conversations,
    aliases,
  }: { sessions: Sessions; conversations: Conversations; aliases: Aliases },
): Merges {
  const { tables, names, time } = site;

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

  /** Which documents moved: null when there was nothing under the hidden id. */
  const mergeContact = async ({ sessionId, from, into }: Merge): Promise<boolean> => {
    const source = await contactRow(from);
    const target = await contactRow(into);
    names.contacts.delete(from);
    const kept = target ?? source;
    if (kept === null) return false;
    const name = target === null ? into : text(target, "name");
    if (source !== null) {
      if (target !== null) await handOver(CONTACT, text(source, "name"), name);
      await tables.rename(CONTACT, text(source, "name"), name, target !== null);
    }
    const state = readState(kept[STATE_FIELD]);
    const lids = [...new Set([...(state.lids ?? []), lidMark(sessionId, from)])];
    const changes = differing(kept, {
      ...(target === null ? { contact_id: into, phone_number: phoneNumberOf(into) } : {}),
      [STATE_FIELD]: writeState({ ...state, lids }),
    });
    if (!isEmpty(changes)) await tables.update(CONTACT, { name, changes });
    names.contacts.set(into, name);
    return source !== null;
  };

  const mergeChat = async (
    { sessionId, from, into, position }: Merge,
    sessionName: string,
  ): Promise<boolean> => {
    const rows = await conversations.rowsOf(sessionName, [from, into]);
    const source = rows.get(from);
    const target = rows.get(into);
    if (source === undefined) return false;
    const person = await contactRow(into);
    const contact = person === null ? undefined : text(person, "name");
    const isMerge = target !== undefined;
    const name = text(target ?? source, "name");
    if (isMerge) {
      await handOver(CONVERSATION, text(source, "name"), name);
      await tables.rename(CONVERSATION, text(source, "name"), name, true);
      names.chats.delete(text(source, "name"));
      await mergeTwins(tables, { sessionId, conversation: name }, await time());
    }
    const changes = differing(
      { contact: null, ...(target ?? source) },
      {
        chat_id: into,
        contact,
        phone_number: phoneNumberOf(into),
        ...(isMerge ? laterEnd(source, target) : {}),
      },
    );
    if (!isEmpty(changes))
      await tables.update(CONVERSATION, {
        name,
        changes: { ...changes, ...mark(target ?? source, position) },
      });
    names.chats.set(name, into);
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
    apply: async (merge) => {
      const { sessionId, from, into } = merge;
      if (from === into || aliases.get(sessionId, from) === into) return { outcome: "unchanged" };
      const sessionName = await sessions.findName(sessionId);
      if (sessionName === null) return { outcome: "missing" };
      try {
        const contact = await mergeContact(merge);
        const chat = await mergeChat(merge, sessionName);
        aliases.learn(sessionId, from, into);
        return { outcome: contact || chat ? "updated" : "unchanged" };
      } catch (error) {
        if (error instanceof SiteRefusal) return rejected(error);
        throw error;
      }
    },
  };
}

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
  return end;
}
