/** The inbox port: what was said, and who said it. */
import { isGroupJid, isLidJid, type Jid } from "../../../core/jid.ts";
import type { InboxStore } from "../../../core/store.ts";
import { call } from "../calls.ts";
import type { Engine } from "../engine.ts";
import type { IntakeRows } from "../intake.ts";
import type { Addresses } from "./addresses.ts";
import { createBeginnings } from "./beginnings.ts";
import type { Chats } from "./chats.ts";
import type { Contacts } from "./contacts.ts";
import { createMessagePages } from "./message-pages.ts";
import { toMessage } from "./message-rows.ts";
import { createGroupFilter } from "./ignored-groups.ts";
import type { Messages } from "./messages.ts";
import { createRemoveOld } from "./old-messages.ts";
import type { Recorder } from "./record.ts";
import type { RemoveMessages } from "./removal.ts";
import type { Stats } from "./stats.ts";
import { createTellChats } from "./untold-chats.ts";
import { createWordIndex } from "./words.ts";
import type { Tell } from "./work.ts";

interface Parts {
  recorder: Recorder;
  intake: IntakeRows;
  addresses: Addresses;
  chats: Chats;
  contacts: Contacts;
  messages: Messages;
  stats: Stats;
  tell: Tell;
  removeMessages: RemoveMessages;
}

export function createInboxStore(
  engine: Engine,
  { recorder, intake, addresses, chats, contacts, messages, stats, tell, removeMessages }: Parts,
): InboxStore {
  const { db } = engine;
  const raw = db.prepare<[number], { v: Buffer }>("SELECT v FROM message_raw WHERE message = ?");
  const incoming = db.prepare<[number, number], { id: string; participant: string }>(
    "SELECT id, participant FROM message WHERE chat = ? AND from_me = 0 ORDER BY ts DESC, n DESC LIMIT ?",
  );
  const arrivals = db.prepare<[number, number, number], { ts: number }>(
    "SELECT ts FROM message WHERE session = ? AND ts >= ? AND from_me = 0 ORDER BY ts DESC LIMIT ?",
  );
  const pageOfMessages = createMessagePages(engine, { addresses, chats, messages });
  const indexWords = createWordIndex(engine);
  const tellChats = createTellChats(engine, { chats, tell });
  const beginnings = createBeginnings(engine, { addresses });
  const withoutIgnored = createGroupFilter({ chats, messages });

  return {
    record: call(({ sessionId, facts, closes, now }) => {
      const session = engine.session(sessionId);
      return engine.transaction(() => {
        const { repeated } = intake.close(session.id, closes, now);
        const applied = recorder.apply(session, withoutIgnored(session, facts), { now, repeated });
        return { messages: applied.messages.map(({ message }) => message), lastSeq: applied.lastSeq };
      });
    }),
    contacts: call((query) => contacts.page(query)),
    contact: call((sessionId, jid) => {
      const session = engine.session(sessionId);
      return contacts.get(session, addresses.map(session.id, jid));
    }),
    contactStats: call((sessionId) => contacts.stats(engine.session(sessionId))),
    chats: call((query) => chats.page(query)),
    chat: call((sessionId, jid) => {
      const session = engine.session(sessionId);
      return chats.get(session, addresses.map(session.id, jid));
    }),
    messages: call(pageOfMessages),
    message: call((sessionId, id, chatId) => {
      const session = engine.session(sessionId);
      const chat = chatId === undefined ? undefined : addresses.map(session.id, chatId);
      const row = messages
        .rowsOfId(session.id, id)
        .find(({ chat_jid }) => chat === undefined || chat_jid === chat);
      if (row === undefined) return null;
      const proto = raw.get(row.n)?.v.toString("base64") ?? null;
      return toMessage(row, messages.context(session), proto);
    }),
    coverage: call((sessionId) => stats.coverage(engine.session(sessionId))),
    beginnings: call(beginnings),
    removeOld: call(createRemoveOld(engine, removeMessages)),
    indexWords: call(indexWords),
    tellChats: call(tellChats),
    unreadOf: call((sessionId, jid, limit) => {
      const session = engine.session(sessionId);
      const chatId = addresses.map(session.id, jid);
      const chat = chats.find(session.id, chatId);
      const count = Math.min(limit, chat?.unread_count ?? 0);
      if (chat === undefined || count <= 0) return [];
      return incoming.all(chat.id, count).map(({ id, participant }) => ({
        chatId,
        id,
        fromMe: false,
        participant: participant === "" ? null : participant,
      }));
    }),
    arrivals: call((sessionId, since, limit) =>
      arrivals.all(engine.session(sessionId).id, since, limit).map(({ ts }) => ts),
    ),
    totals: call((sessionId) => stats.totals(engine.session(sessionId))),
    stats: call((sessionId, range) => stats.of(engine.session(sessionId), range)),
    addresses: call((sessionId, jid) => {
      const { id } = engine.session(sessionId);
      if (isGroupJid(jid)) return { phone: null, lid: null };
      if (isLidJid(jid)) return { phone: addresses.phoneOf(id, jid), lid: jid };
      return { phone: jid, lid: addresses.lidOf(id, jid) };
    }),
    knows: call((sessionId, jid) => {
      const session = engine.session(sessionId);
      const isKnownLid = (lid: Jid): boolean => isLidJid(lid) && addresses.phoneOf(session.id, lid) !== null;
      return (
        isKnownLid(jid) || chats.find(session.id, jid) !== undefined || contacts.get(session, jid) !== null
      );
    }),
  };
}
