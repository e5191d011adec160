/** Writes events: number, frozen bytes, and one delivery for each endpoint that wants it, in the caller's transaction. */
import { EVENTS, HUB_SESSION, type HubEvent } from "../../contract/events.ts";
import { wants } from "../../core/endpoint.ts";
import { fittingBody } from "../../core/event-size.ts";
import { newId } from "../../core/ids.ts";
import { withSession } from "../../core/present.ts";
import type { Session } from "../../core/session.ts";
import type { NewEvent } from "../../core/store.ts";
import type { Engine } from "./engine.ts";

/** The session an event is about, as far as the log needs to know it. */
type About = Pick<Session, "id" | "sessionId"> & { settings?: Session["settings"] };

export const theHub: About = { id: 0, sessionId: HUB_SESSION };

export interface EventLog {
  append(about: About, events: NewEvent[], now: Date): HubEvent[];
}

/** Lane of everything that keeps its order within a whole session. */
const wholeSession = (session: number): string => `${session}|*`;
export const laneOfChat = (session: number, chatId: string): string => `${session}|${chatId}`;

/** Where what an event had no room for can be read, with a key. */
const wholeOf = (publicUrl: string, sessionId: string, chatId: string | null): string =>
  `${publicUrl}/api/messages/${sessionId}${chatId === null ? "" : `/${encodeURIComponent(chatId)}`}`;

export function createEventLog(engine: Engine): EventLog {
  const { db } = engine;
  const insertEvent = db.prepare(
    "INSERT INTO event(seq, id, session, chat, type, body, created_at) VALUES(?, ?, ?, ?, ?, ?, ?)",
  );
  const intoLane = db.prepare<[number, string, number], { id: number }>(
    `INSERT INTO lane(endpoint, key, pending, next_at) VALUES(?, ?, 1, ?)
     ON CONFLICT(endpoint, key) DO UPDATE SET
       next_at = CASE WHEN pending = 0 THEN excluded.next_at ELSE next_at END, pending = pending + 1
     RETURNING id`,
  );
  const insertDelivery = db.prepare(
    "INSERT INTO delivery(event_seq, endpoint, lane, next_at) VALUES(?, ?, ?, ?)",
  );

  const laneKey = (about: About, { event, chatId }: NewEvent, ordering: "chat" | "session"): string =>
    chatId === null ||
    EVENTS[event].lane === "session" ||
    ordering === "session" ||
    about.settings?.ordering === "session"
      ? wholeSession(about.id)
      : laneOfChat(about.id, chatId);

  const fanOut = (about: About, event: NewEvent, seq: number, now: Date): void => {
    const { sessionId } = about;
    const { exceptClient, exceptEndpoint } = event;
    const due = Math.max(now.getTime(), event.notBefore?.getTime() ?? 0);
    for (const { n, endpoint } of engine.endpoints()) {
      if (!wants(endpoint, { event: event.event, sessionId, exceptClient, exceptEndpoint })) continue;
      const lane = intoLane.get(n, laneKey(about, event, endpoint.ordering), due);
      insertDelivery.run(seq, n, lane?.id, due);
    }
  };

  return {
    append: (about, events, now) =>
      events.map((event) => {
        const hubEvent: HubEvent = {
          id: newId("evt", now),
          seq: engine.nextSeq(),
          event: event.event,
          sessionId: about.sessionId,
          timestamp: now.toISOString(),
          data: withSession(about, event.data),
        };
        const { id, seq } = hubEvent;
        const body = fittingBody(hubEvent, wholeOf(engine.publicUrl, about.sessionId, event.chatId));
        insertEvent.run(seq, id, about.id, event.chatId, event.event, body, now.getTime());
        fanOut(about, event, seq, now);
        return hubEvent;
      }),
  };
}
