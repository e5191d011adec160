/** A stand-in of the store for the sessions' tests. */
import type { HubEvent } from "../../hub/contract/events.ts";
import type { Clock } from "../../hub/core/clock.ts";
import type { Session } from "../../hub/core/session.ts";
import type { SessionStore, TimelineEntry } from "../../hub/core/store.ts";

export interface TestStore {
  sessions: SessionStore;
  events(): Promise<HubEvent[]>;
}

export function openTestStore(clock: Clock): Promise<TestStore> {
  const rows: Session[] = [];
  const events: HubEvent[] = [];
  const timeline = new Map<string, TimelineEntry[]>();
  const note = ({ sessionId, state, reason }: Session) => {
    const entries = timeline.get(sessionId) ?? [];
    timeline.set(sessionId, entries);
    entries.unshift({ at: clock.now(), state, text: reason?.text ?? state });
  };
  const sessions: SessionStore = {
    list: ({ includeDeleted = false } = {}) =>
      Promise.resolve(structuredClone(rows.filter((row) => includeDeleted || row.deletedAt === null))),
    get: (sessionId) => Promise.resolve(structuredClone(rows.find((row) => row.sessionId === sessionId) ?? null)),
    create: (session) => {
      const at = rows.findIndex((row) => row.sessionId === session.sessionId);
      const before = rows[at];
      if (before !== undefined && before.deletedAt === null) return Promise.resolve(null);
      const row = { ...session, id: before?.id ?? rows.length + 1 };
      if (before === undefined) rows.push(row);
      else rows[at] = row;
      note(row);
      return Promise.resolve(structuredClone(row));
    },
    save: (session, fresh) => {
      const at = rows.findIndex((row) => row.sessionId === session.sessionId);
      if (rows[at]?.state !== session.state) note(session);
      rows[at] = structuredClone(session);
      for (const { event, data } of fresh) {
        events.push({
          id: `evt_${events.length}`,
          seq: events.length + 1,
          event,
          sessionId: session.sessionId,
          timestamp: clock.now().toISOString(),
          data: { sessionId: session.sessionId, session_db_id: session.id, ...structuredClone(data) },
        });
      }
      return Promise.resolve();
    },
    holderOf: (phoneNumber, except) =>
      Promise.resolve(
        rows.find(
          (row) =>
            row.phoneNumber === phoneNumber &&
            row.sessionId !== except &&
            row.deletedAt === null &&
            row.state !== "logged_out",
        ) ?? null,
      ),
    timeline: (sessionId) => {
      const items = timeline.get(sessionId) ?? [];
      return Promise.resolve({ items, total: items.length, nextCursor: null });
    },
  };
  return Promise.resolve({ sessions, events: () => Promise.resolve(events) });
}
