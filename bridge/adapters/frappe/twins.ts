/**
 * One message that two chats hold is there twice once the chats are one: the bare id stays, with what either was told. It is
 * brought up to date before its copy goes, so that nothing is lost between the two.
 */
import { isOlderEdit } from "../edit-order.ts";
import { differing, isEmpty, text, type Fields, type Row } from "./field-values.ts";
import { readState, STATE_FIELD, writeState, type HubState } from "./hub-state.ts";
import { editOf, MESSAGE_FIELDS, sentAt } from "./message-fields.ts";
import { FILE_FIELDS } from "./message-media.ts";
import { candidateIds, isOutgoing } from "./message-identity.ts";
import { mayBecome, STATUS_WORD, statusOf } from "./message-status.ts";
import { reactionFields, withReactionsOf } from "./reactions.ts";
import type { Relinks } from "./relink.ts";
import { MESSAGE, type Site } from "./site.ts";

const MOMENTS = ["sent_at", "delivered_at", "read_at"];

interface OneChat {
  sessionId: string;
  chatId: string;
  /** The documents that are this chat. */
  chats: string[];
  resolve: (id: string) => string;
}

/** How many went. */
export async function mergeTwins(
  site: Pick<Site, "tables" | "writes" | "time">,
  relinks: Relinks,
  chat: OneChat,
): Promise<number> {
  const { tables, time } = site;
  const { sessionId, chats, resolve } = chat;
  if (chats.length === 0) return 0;
  const start = `${sessionId}:`;
  const fields = MESSAGE_FIELDS;
  // Of two copies one at least could not have its own id.
  const aside = (
    await tables.all(MESSAGE, {
      fields,
      filters: [
        ["conversation", "in", chats],
        ["message_id", "like", `${start}%`],
      ],
      orderBy: "name asc",
    })
  ).filter((row) => text(row, "message_id").startsWith(start));
  const ownId = (row: Row): string =>
    readState(row[STATE_FIELD]).id ?? text(row, "message_id").slice(start.length);
  const ids = [...new Set(aside.map(ownId))];
  if (ids.length === 0) return 0;
  const bare = await tables.all(MESSAGE, {
    fields,
    filters: [
      ["conversation", "in", chats],
      ["message_id", "in", ids],
    ],
    orderBy: "name asc",
  });
  const keyOf = (row: Row, id: string): string =>
    [id, isOutgoing(row), resolve(readState(row[STATE_FIELD]).participant ?? "")].join("|");
  const stay: Row[] = [];
  const kept = new Map(bare.map((row) => [keyOf(row, text(row, "message_id")), row]));
  let gone = 0;
  for (const row of aside) {
    const key = keyOf(row, ownId(row));
    const twin = kept.get(key);
    if (twin === undefined) {
      kept.set(key, row);
      stay.push(row);
      continue;
    }
    gone += 1;
    const changes: Fields = whatTheCopyKnew(row, twin, resolve);
    if (changes["has_media"] !== undefined) changes["media_items"] = await filesOf(tables, text(row, "name"));
    if (!isEmpty(changes))
      await tables.update(MESSAGE, {
        name: text(twin, "name"),
        changes: { ...sentAt(twin, await time()), ...changes },
      });
    // Whatever links the copy comes along.
    await relinks.join(MESSAGE, text(row, "name"), text(twin, "name"));
  }
  await renameOf(site, chat, stay);
  return gone;
}

/** Where two other messages have its id, a message is kept under one made of its chat and author, who go by another name now. */
async function renameOf(
  { writes, time }: Pick<Site, "writes" | "time">,
  { sessionId, chatId, resolve }: OneChat,
  rows: Row[],
): Promise<void> {
  const at = await time();
  const updates = rows.flatMap((row) => {
    const { id, participant } = readState(row[STATE_FIELD]);
    if (id === undefined) return [];
    const author = participant === undefined ? null : resolve(participant);
    const key = { chatId, messageId: id, fromMe: isOutgoing(row), participant: author };
    const [, ofSession, ofMessage] = candidateIds(sessionId, key);
    return [ofSession, ofMessage].includes(text(row, "message_id"))
      ? []
      : [{ name: text(row, "name"), changes: { message_id: ofMessage, ...sentAt(row, at) } }];
  });
  await writes.updateAll(MESSAGE, updates);
}

/** What one side of the copy adds to its twin, and what of it must be remembered. */
interface Part {
  fields: Fields;
  next: HubState;
}

function whatTheCopyKnew(copy: Row, twin: Row, resolve: (id: string) => string): Fields {
  const [theirs, ours] = [readState(copy[STATE_FIELD]), readState(twin[STATE_FIELD])];
  const parts = [
    momentPart(copy, twin),
    recordPart(copy, twin, { theirs, ours }),
    statusPart(copy, twin, theirs),
    textPart(copy, theirs, ours),
    reactionPart(theirs, ours, resolve),
  ].filter((part) => part !== null);
  if (parts.length === 0) return {};
  return {
    ...parts.reduce<Fields>((all, { fields }) => ({ ...all, ...fields }), {}),
    [STATE_FIELD]: writeState(parts.reduce<HubState>((all, { next }) => ({ ...all, ...next }), ours)),
  };
}

function momentPart(copy: Row, twin: Row): Part | null {
  const moments = MOMENTS.filter((field) => text(twin, field) === "" && text(copy, field) !== "");
  if (moments.length === 0) return null;
  return { fields: Object.fromEntries(moments.map((field) => [field, text(copy, field)])), next: {} };
}

/** What a whole record replaces, where the copy was written from the later one. */
const PLAIN = ["message_type", "is_forwarded", "is_starred", "is_reply", "has_media"];

function recordPart(
  copy: Row,
  twin: Row,
  { theirs, ours }: { theirs: HubState; ours: HubState },
): Part | null {
  if (theirs.position === undefined || theirs.position <= (ours.position ?? -1)) return null;
  const words = isOlderEdit(editOf(theirs), editOf(ours)) ? [] : ["content"];
  const quoted = text(copy, "quoted_message") === "" ? [] : ["quoted_message"];
  const told = [...PLAIN, ...words, ...quoted].filter((field) => field in copy);
  const fields = differing(twin, Object.fromEntries(told.map((field) => [field, valueOf(copy[field])])));
  const { position, mediaUrl, mediaId, isCopied } = theirs;
  return { fields, next: { position, ...defined({ mediaUrl, mediaId, isCopied }) } };
}

const valueOf = (value: unknown): string | number | null =>
  typeof value === "string" || typeof value === "number" ? value : null;

const defined = <T extends object>(state: T): Partial<T> =>
  Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined)) as Partial<T>; // of its own members

/** The child table of a document, as rows for another one. */
async function filesOf(tables: Site["tables"], name: string): Promise<Row[]> {
  const items = (await tables.get(MESSAGE, name))?.["media_items"];
  if (!Array.isArray(items)) return [];
  return (items as Row[]).map((item) =>
    Object.fromEntries(FILE_FIELDS.filter((field) => field in item).map((field) => [field, item[field]])),
  );
}

function statusPart(copy: Row, twin: Row, { statusPosition = null }: HubState): Part | null {
  const status = statusOf(copy);
  if (!mayBecome(twin, status, statusPosition)) return null;
  return { fields: { status: STATUS_WORD[status] }, next: { status, statusPosition } };
}

function textPart(copy: Row, theirs: HubState, ours: HubState): Part | null {
  if (!isOlderEdit(editOf(ours), editOf(theirs))) return null;
  const { editedAt, editPosition } = theirs;
  return {
    fields: { content: text(copy, "content") },
    next: {
      ...(editedAt === undefined ? {} : { editedAt }),
      ...(editPosition === undefined ? {} : { editPosition }),
    },
  };
}

function reactionPart(theirs: HubState, ours: HubState, resolve: (id: string) => string): Part | null {
  const reactions = withReactionsOf(ours.reactions ?? [], theirs.reactions ?? [], resolve);
  return reactions === null ? null : { fields: reactionFields(reactions), next: { reactions } };
}
