/** The one table of webhook events: what can be subscribed, which lane keeps its order, and who gets it by default. */
import { z } from "zod";

/** `chat`: ordered with everything else of that chat; `session`: ordered with the session's own events. */
export type LaneKind = "chat" | "session";

interface EventRow {
  lane: LaneKind;
  /** Part of the default subscription of endpoints that belong to one session. */
  xSet: boolean;
  /** Part of `*`. */
  wildcard: boolean;
  summary: string;
}

const row = (lane: LaneKind, summary: string, { xSet = false, wildcard = true } = {}): EventRow => ({
  lane,
  xSet,
  wildcard,
  summary,
});

export const EVENTS = {
  "message.received": row(
    "chat",
    "A message was stored, live or caught up; also own messages of other devices",
    {
      xSet: true,
    },
  ),
  "message.reaction": row("chat", "A reaction was set, changed or removed", { xSet: true }),
  "message.sent": row("chat", "WhatsApp accepted a message sent through the API", { xSet: true }),
  "message.delivered": row("chat", "A message reached a device of its receiver", { xSet: true }),
  "message.read": row("chat", "A message was read or played", { xSet: true }),
  "message.failed": row("chat", "A message was refused, expired or never confirmed", { xSet: true }),
  "message.edited": row("chat", "The text of a message changed"),
  "message.updated": row("chat", "The content of a message that could not be read came after all"),
  "message.deleted": row("chat", "A message was revoked or deleted"),
  "chat.updated": row("chat", "Name, unread count, pin or mute changed"),
  "chat.archived": row("chat", "A chat was archived", { xSet: true }),
  "chat.unarchived": row("chat", "A chat was taken out of the archive", { xSet: true }),
  "contact.updated": row("session", "Name, picture or business data of a contact changed", { xSet: true }),
  "contact.merged": row("session", "The phone number behind a hidden id became known"),
  "group.updated": row("chat", "Subject or settings of a group changed"),
  "group.participants": row("chat", "Members joined, left or changed role"),
  "call.received": row("chat", "A call was offered"),
  "session.connected": row("session", "The account is connected", { xSet: true }),
  "session.disconnected": row("session", "The account is not connected any more", { xSet: true }),
  "session.status": row("session", "Any other change of a session's state"),
  "session.qr": row("session", "A new QR code to scan", { wildcard: false }),
  "session.cleanup": row("session", "A session was cleaned by order: what was done, step by step"),
  "session.alert": row("session", "Somebody should look: at a session, an endpoint, the disk or the backups"),
  "session.restricted": row("session", "WhatsApp forbids the account to open new chats, or lets it again"),
  "history.synced": row("session", "An import of history finished or paused"),
  "bot.status": row("session", "A session's bot was switched on or off"),
  "delivery.dead": row("session", "An event was parked for an endpoint; told to the other endpoints"),
  "endpoint.test": row("session", "Sent on demand to try an endpoint", { wildcard: false }),
} as const satisfies Record<string, EventRow>;

export type EventName = keyof typeof EVENTS;

export const EVENT_NAMES = Object.keys(EVENTS) as EventName[];
export const X_SET: EventName[] = EVENT_NAMES.filter((name) => EVENTS[name].xSet);

/** Session id of events that belong to no session; its `session_db_id` is 0. */
export const HUB_SESSION = "_hub";

/** A fact, immutable. `data` begins with `sessionId` and `session_db_id`. */
export interface HubEvent {
  id: string;
  seq: number;
  event: EventName;
  sessionId: string;
  /** ISO 8601 UTC with milliseconds. */
  timestamp: string;
  data: Record<string, unknown>;
}

/** The bytes of an event, keys in the order of the contract. Made once; every attempt and replay sends these. */
export const eventBody = ({ id, seq, event, sessionId, timestamp, data }: HubEvent): string =>
  JSON.stringify({ id, seq, event, sessionId, timestamp, data });

/** An event as webhooks, feed and realtime carry it. */
export const eventSchema = z
  .object({
    id: z.string(),
    seq: z.int(),
    event: z.enum(EVENT_NAMES),
    sessionId: z.string(),
    timestamp: z.iso.datetime(),
    data: z.looseObject({ sessionId: z.string(), session_db_id: z.int() }),
  })
  .meta({ id: "Event" });
