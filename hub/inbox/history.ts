/** Older messages than those the hub has: asked of the phone, which sends them as history. */
import type { Clock } from "../core/clock.ts";
import { toSeconds } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { noPressure, type Pressure } from "../core/pressure.ts";
import type { HistoryCoverage, InboxStore } from "../core/store.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";
import { resolveRecipient } from "./recipient.ts";
import type { Numbering } from "./send-request.ts";

/** What a phone gives at once. */
const MESSAGES_AT_ONCE = 50;
/** Each chat is a request of its own to the phone; more would look like a machine. */
const CHATS_AT_ONCE = 10;
const DAY_SECONDS = 86_400;

export interface HistoryOrder {
  sessionId: string;
  /** As the caller wrote it; null for the chats with the newest messages. */
  chatId: string | null;
  numbering: Numbering;
  /** Only chats that begin less than so many days ago. */
  days: number | null;
}

export interface History {
  /** Asks, and answers what is there now: what comes is told by `history.synced`. */
  ask(order: HistoryOrder): Promise<{ chats: number; coverage: HistoryCoverage }>;
}

export interface HistoryParts {
  inbox: Pick<InboxStore, "beginnings" | "coverage" | "knows" | "addresses">;
  link: (sessionId: string) => WhatsAppLink;
  clock: Clock;
  pressure?: Pressure;
}

const RETRY_AFTER_SECONDS = 30;

export function createHistory({ inbox, link, clock, pressure = noPressure }: HistoryParts): History {
  return {
    ask: async ({ sessionId, chatId: written, numbering, days }) => {
      // The answer is a flood that can come as well later.
      if (pressure.sheds("history"))
        throw new HubError("OVERLOADED", "The hub is too busy for more history at the moment.", {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      const current = link(sessionId);
      const chatId =
        written === null
          ? undefined
          : await resolveRecipient({ sessionId, written, numbering, inbox, field: "chatId" });
      const laterThan = days === null ? undefined : toSeconds(clock.now()) - days * DAY_SECONDS;
      const places = await inbox.beginnings({ sessionId, chatId, laterThan, limit: CHATS_AT_ONCE });
      for (const place of places) await current.requestHistory(place, MESSAGES_AT_ONCE);
      return { chats: places.length, coverage: await inbox.coverage(sessionId) };
    },
  };
}
