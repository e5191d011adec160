/** Which message a conversation shows as its last: a newer one only, whoever tells it. */
import type { Position } from "../../adapter.ts";
import { refusalKind } from "../../errors.ts";
import { differing, fittingOrNull, flag, text, type Fields, type Row } from "./field-values.ts";
import { readState, STATE_FIELD, writeState } from "./hub-state.ts";
import { CONVERSATION, type Site } from "./site.ts";
import type { SiteTime } from "./site-time.ts";

export interface LastMessage {
  messageId: string;
  content: string;
  /** Unix seconds. */
  timestamp: number;
  fromMe: boolean;
}

interface Shown {
  sessionId: string;
  chatId: string;
  row: Row;
  time: SiteTime;
  position: Position;
}

export interface Lasts {
  /** Empty when the conversation keeps the one it shows. */
  fields(shown: Shown, told: LastMessage): Fields;
  /** New words of the one it shows: what was read before them is older from now on. */
  reworded(shown: Omit<Shown, "time">, content: string): Fields;
  /** A conversation that the site lets nobody save costs its messages nothing: it shows an older one until it is mended. */
  write(conversation: string, changes: Fields): Promise<void>;
}

/** Lists show the beginning; the whole text is in the message. */
const SHORT_TEXT = 500;
const shortText = (content: string): string =>
  content.length <= SHORT_TEXT ? content : content.slice(0, SHORT_TEXT).replace(/[\uD800-\uDBFF]$/, "");

export function createLasts({ positions, writes, log }: Pick<Site, "positions" | "writes" | "log">): Lasts {
  const keyOf = ({ sessionId, chatId }: Pick<Shown, "sessionId" | "chatId">): string =>
    `last|${sessionId}|${chatId}`;

  const isLater = (shown: Shown, told: LastMessage): boolean => {
    const { row, time, position } = shown;
    const last = time.read(row["last_message_time"]);
    if (last === null || told.timestamp > last) return true;
    if (told.timestamp < last) return false;
    const mayReplace = !positions.isStale(keyOf(shown), position, readState(row[STATE_FIELD]).lastPosition);
    // Of two messages in one second the one told later counts, and without positions the one that came later.
    const isSame = text(row, "last_remote_message_id") === told.messageId;
    return isSame ? mayReplace : mayReplace || position === null;
  };

  return {
    fields: (shown, told) => {
      if (!isLater(shown, told)) return {};
      positions.shown(keyOf(shown), shown.position);
      return {
        last_message: shortText(told.content),
        last_message_time: shown.time.write(told.timestamp),
        last_message_from_me: flag(told.fromMe),
        last_remote_message_id: fittingOrNull(told.messageId),
      };
    },
    reworded: ({ sessionId, chatId, row, position }, content) => {
      positions.shown(keyOf({ sessionId, chatId }), position);
      const changes = differing(row, { last_message: shortText(content) });
      const state = readState(row[STATE_FIELD]);
      if (position === null || position <= (state.lastPosition ?? -1)) return changes;
      return { ...changes, [STATE_FIELD]: writeState({ ...state, lastPosition: position }) };
    },
    write: async (conversation, changes) => {
      const { outcome, error } = await writes.updateOne(CONVERSATION, { name: conversation, changes });
      if (outcome !== "rejected") return;
      log.warn({ document: conversation, problem: refusalKind(error) }, "frappe.chat_not_updated");
    },
  };
}
