/** Where the stored past of chats begins: what is asked for next lies before it. */
import type { Jid } from "../../../core/jid.ts";
import type { InboxStore, MessagePlace } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import { valuesOf, when, whereOf } from "../pager.ts";
import type { Addresses } from "./addresses.ts";
import { NOTHING_OLDER } from "./chats.ts";
import { statusNumber } from "./message-rows.ts";

interface OldestRow {
  id: string;
  from_me: number;
  participant: string;
  ts: number;
}

type Query = Parameters<InboxStore["beginnings"]>[0];

export function createBeginnings(
  engine: Engine,
  { addresses }: { addresses: Addresses },
): (query: Query) => MessagePlace[] {
  // A message that never reached WhatsApp is none that the phone could count from.
  const oldest = engine.db.prepare<[number, number], OldestRow>(
    "SELECT id, from_me, participant, ts FROM message WHERE chat = ? AND status >= ? ORDER BY ts, n LIMIT 1",
  );

  return ({ sessionId, chatId, laterThan, limit }) => {
    const session = engine.session(sessionId);
    const conditions = [
      ...when("session = ?", session.id),
      ...when("jid = ?", chatId === undefined ? undefined : addresses.map(session.id, chatId)),
      ...when("first_at > ?", laterThan),
    ];
    const chats = engine
      .query<(string | number | null)[], { id: number; jid: Jid }>(
        `SELECT id, jid FROM chat${whereOf(conditions)} AND message_count > 0 AND past <> ${NOTHING_OLDER}
         ORDER BY last_at DESC, id DESC LIMIT ?`,
      )
      .all(...valuesOf(conditions), limit);
    return chats.flatMap(({ id, jid }) => {
      const row = oldest.get(id, statusNumber("sent"));
      return row === undefined ? [] : [placeOf(jid, row)];
    });
  };
}

const placeOf = (chatId: Jid, { id, from_me, participant, ts }: OldestRow): MessagePlace => ({
  chatId,
  id,
  fromMe: from_me === 1,
  participant: participant === "" ? null : participant,
  timestamp: ts,
});
