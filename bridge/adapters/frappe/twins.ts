/**
 * One message that two chats hold is there twice once the chats are one: the bare id stays, with what either was told. It is
 * brought up to date before its copy goes, so that nothing is lost between the two.
 */
import { isOlderEdit } from "../edit-order.ts";
import { isEmpty, text, type Fields, type Row } from "./field-values.ts";
import { readState, STATE_FIELD, writeState, type HubState } from "./hub-state.ts";
import { editOf, MESSAGE_FIELDS, sentAt } from "./message-fields.ts";
import { isOutgoing } from "./message-identity.ts";
import { mayBecome, STATUS_WORD, statusOf } from "./message-status.ts";
import { reactionFields, withReactionsOf } from "./reactions.ts";
import type { Relinks } from "./relink.ts";
import { MESSAGE, type Site } from "./site.ts";

const MOMENTS = ["sent_at", "delivered_at", "read_at"];

/** `chats`: the documents that are one chat. True when there were any twins. */
export async function mergeTwins(
  { tables, time }: Pick<Site, "tables" | "time">,
  relinks: Relinks,
  { sessionId, chats, resolve }: { sessionId: string; chats: string[]; resolve: (id: string) => string },
): Promise<boolean> {
  if (chats.length === 0) return false;
  const start = `${sessionId}:`;
  const fields = [...MESSAGE_FIELDS, "delivered_at", "read_at"];
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
  if (ids.length === 0) return false;
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
  const kept = new Map(bare.map((row) => [keyOf(row, text(row, "message_id")), row]));
  let hadTwins = false;
  for (const row of aside) {
    const key = keyOf(row, ownId(row));
    const twin = kept.get(key);
    if (twin === undefined) {
      kept.set(key, row);
      continue;
    }
    hadTwins = true;
    const changes = whatTheCopyKnew(row, twin, resolve);
    if (!isEmpty(changes))
      await tables.update(MESSAGE, {
        name: text(twin, "name"),
        changes: { ...sentAt(twin, await time()), ...changes },
      });
    // Whatever links the copy comes along.
    await relinks.join(MESSAGE, text(row, "name"), text(twin, "name"));
  }
  return hadTwins;
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
