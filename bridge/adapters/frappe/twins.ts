/** One message that two chats held is there twice once the chats are one: the bare id stays, with what either was told. */
import { isOlderEdit } from "../edit-order.ts";
import { text, type Fields, type Row } from "./field-values.ts";
import { readState, STATE_FIELD, writeState } from "./hub-state.ts";
import { editOf, MESSAGE_FIELDS, sentAt } from "./message-fields.ts";
import { isOutgoing } from "./message-identity.ts";
import { mayBecome, STATUS_WORD, statusOf } from "./message-status.ts";
import { MESSAGE } from "./site.ts";
import type { SiteTables } from "./site-tables.ts";
import type { SiteTime } from "./site-time.ts";

export async function mergeTwins(
  tables: SiteTables,
  { sessionId, conversation }: { sessionId: string; conversation: string },
  time: SiteTime,
): Promise<void> {
  const start = `${sessionId}:`;
  // Of two copies one at least could not have its own id.
  const aside = (
    await tables.all(MESSAGE, {
      fields: MESSAGE_FIELDS,
      filters: [
        ["conversation", "=", conversation],
        ["message_id", "like", `${start}%`],
      ],
      orderBy: "name asc",
    })
  ).filter((row) => text(row, "message_id").startsWith(start));
  const ownId = (row: Row): string =>
    readState(row[STATE_FIELD]).id ?? text(row, "message_id").slice(start.length);
  const ids = [...new Set(aside.map(ownId))];
  if (ids.length === 0) return;
  const bare = await tables.all(MESSAGE, {
    fields: MESSAGE_FIELDS,
    filters: [
      ["conversation", "=", conversation],
      ["message_id", "in", ids],
    ],
    orderBy: "name asc",
  });
  const keyOf = (row: Row, id: string): string =>
    [id, isOutgoing(row), readState(row[STATE_FIELD]).participant ?? ""].join("|");
  const kept = new Map(bare.map((row) => [keyOf(row, text(row, "message_id")), row]));
  for (const row of aside) {
    const key = keyOf(row, ownId(row));
    const twin = kept.get(key);
    if (twin === undefined) {
      kept.set(key, row);
      continue;
    }
    // A rename that merges takes along whatever links the copy.
    await tables.rename(MESSAGE, text(row, "name"), text(twin, "name"), true);
    const changes = whatTheCopyKnew(row, twin);
    if (changes !== null)
      await tables.update(MESSAGE, {
        name: text(twin, "name"),
        changes: { ...changes, ...sentAt(twin, time) },
      });
  }
}

function whatTheCopyKnew(copy: Row, twin: Row): Fields | null {
  const [theirs, ours] = [readState(copy[STATE_FIELD]), readState(twin[STATE_FIELD])];
  const status = statusOf(copy);
  const isFurther = mayBecome(twin, status, theirs.statusPosition ?? null);
  const isLaterText = isOlderEdit(editOf(ours), editOf(theirs));
  if (!isFurther && !isLaterText) return null;
  const { editedAt, editPosition } = theirs;
  return {
    ...(isFurther ? { status: STATUS_WORD[status] } : {}),
    ...(isLaterText ? { content: text(copy, "content") } : {}),
    [STATE_FIELD]: writeState({
      ...ours,
      ...(isFurther ? { status, statusPosition: theirs.statusPosition ?? null } : {}),
      ...(isLaterText && editedAt !== undefined ? { editedAt } : {}),
      ...(isLaterText && editPosition !== undefined ? { editPosition } : {}),
    }),
  };
}
