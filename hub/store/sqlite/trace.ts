/** The way of one message: from its stanza over its events to what each endpoint answered. */
import type { EventName } from "../../contract/events.ts";
import type { MessageTrace, TraceStore } from "../../core/store.ts";
import { call } from "./calls.ts";
import type { Engine } from "./engine.ts";
import type { Addresses } from "./inbox/addresses.ts";
import { deliveryState } from "./outbox/states.ts";

interface EventRow {
  seq: number;
  type: EventName;
  created_at: number;
}

interface AttemptRow {
  n: number;
  at: number;
  ms: number;
  status: number | null;
  error: string | null;
  response_head: string | null;
}

/** What comes after the first event (delivered, read, edited) comes soon, or is looked for elsewhere. */
const EVENTS_LOOKED_AT = 20_000;

export function createTrace(engine: Engine, { addresses }: { addresses: Addresses }): TraceStore {
  const { db } = engine;
  const firstOf = db.prepare<[number, string, string], { event_seq: number | null }>(
    `SELECT m.event_seq FROM message m INDEXED BY message_key CROSS JOIN chat c ON c.id = m.chat
     WHERE m.session = ? AND m.id = ? AND c.jid = ? ORDER BY m.ts DESC, m.n DESC`,
  );
  const eventsOf = db.prepare<[number, number, number, string], EventRow & { chat: string | null }>(
    `SELECT seq, chat, type, created_at FROM
       (SELECT seq, chat, type, created_at, body FROM event WHERE session = ? AND seq >= ? ORDER BY seq LIMIT ?)
     WHERE instr(body, ?) > 0`,
  );
  const deliveriesOf = db.prepare<[number], { n: number; state: number; id: string }>(
    "SELECT d.n, d.state, p.id FROM delivery d CROSS JOIN endpoint p ON p.n = d.endpoint WHERE d.event_seq = ?",
  );
  const attemptsOf = db.prepare<[number], AttemptRow>(
    "SELECT n, at, ms, status, error, response_head FROM attempt WHERE delivery = ? ORDER BY id",
  );
  // A stanza is done in the transaction that makes its event: the moment they share leads from the one to the other.
  const seen = ["NOT NULL", "NULL"].map((stanza) =>
    db.prepare<[number, number, string], { seen_at: number }>(
      `SELECT seen_at FROM intake WHERE state = 1 AND stanza IS ${stanza} AND done_at = ? AND session = ? AND stanza_id = ?`,
    ),
  );

  const receivedAt = (session: number, id: string, events: EventRow[]): Date | null => {
    const stored = events.find(({ type }) => type === "message.received");
    if (stored === undefined) return null;
    for (const statement of seen) {
      const row = statement.get(stored.created_at, session, id);
      if (row !== undefined) return new Date(row.seen_at);
    }
    return null;
  };

  const withDeliveries = ({ seq, type, created_at }: EventRow): MessageTrace["events"][number] => ({
    seq,
    event: type,
    at: new Date(created_at),
    deliveries: deliveriesOf.all(seq).map(({ n, state, id }) => ({
      endpointId: id,
      state: deliveryState(state),
      attempts: attemptsOf.all(n).map(({ at, response_head, ...attempt }) => ({
        ...attempt,
        at: new Date(at),
        responseHead: response_head,
      })),
    })),
  });

  return {
    of: call(({ sessionId, chatId, id }) => {
      const session = engine.session(sessionId);
      const first = firstOf.get(session.id, id, addresses.map(session.id, chatId))?.event_seq ?? null;
      if (first === null) return { receivedAt: null, events: [] };
      const named = `"messageId":${JSON.stringify(id)}`;
      // Events keep the address that the chat had when they were made.
      const events = eventsOf
        .all(session.id, first, EVENTS_LOOKED_AT, named)
        .filter(({ chat }) => chat !== null && addresses.map(session.id, chat) === chatId);
      return { receivedAt: receivedAt(session.id, id, events), events: events.map(withDeliveries) };
    }),
  };
}
