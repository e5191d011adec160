/** Deliveries as people and CRMs look at them: pages, one with its attempts, counts. */
import type { EventName } from "../../../contract/events.ts";
import type { Delivery, FailureClass } from "../../../core/delivery.ts";
import type { OutboxStore } from "../../../core/store.ts";
import { call } from "../calls.ts";
import type { Engine } from "../engine.ts";
import { date } from "../json.ts";
import { createPager, valuesOf, whereOf, type Condition } from "../pager.ts";
import { conditionsOf, endpointNumber } from "./filter.ts";
import { deliveryState, isOwed } from "./states.ts";

interface DeliveryRow {
  n: number;
  event_seq: number;
  event_id: string;
  type: EventName;
  session: number;
  chat: string | null;
  endpoint_id: string;
  lane_key: string | null;
  state: number;
  attempts: number;
  next_at: number;
  last_status: number | null;
  last_error: string | null;
  failure: FailureClass | null;
  replay: number;
  created_at: number;
  done_at: number | null;
}

interface AttemptRow {
  n: number;
  at: number;
  ms: number;
  status: number | null;
  error: string | null;
  response_head: string | null;
}

const COLUMNS = `d.n, d.event_seq, e.id AS event_id, e.type, e.session, e.chat, p.id AS endpoint_id, l.key AS lane_key, d.state,
  d.attempts, d.next_at, d.last_status, d.last_error, d.failure, d.replay, e.created_at, d.done_at`;
// CROSS JOIN keeps the order of the loops: the list is walked by its own number, everything else is looked up.
const FROM = `delivery d CROSS JOIN event e ON e.seq = d.event_seq
  CROSS JOIN endpoint p ON p.n = d.endpoint LEFT JOIN lane l ON l.id = d.lane`;

export function createLists(engine: Engine): Pick<OutboxStore, "list" | "get" | "count"> {
  const { db } = engine;
  const one = db.prepare<[number], DeliveryRow & { body: string }>(
    `SELECT ${COLUMNS}, e.body FROM ${FROM} WHERE d.n = ?`,
  );
  const attempts = db.prepare<[number], AttemptRow>(
    "SELECT n, at, ms, status, error, response_head FROM attempt WHERE delivery = ? ORDER BY id",
  );
  const tally = db.prepare<[], { endpoint: number; state: number; n: number }>(
    "SELECT * FROM delivery_tally",
  );
  const pages = createPager(engine);

  const toDelivery = (row: DeliveryRow): Delivery => {
    const state = deliveryState(row.state);
    return {
      n: row.n,
      seq: row.event_seq,
      eventId: row.event_id,
      event: row.type,
      sessionId: engine.sessionName(row.session),
      chatId: row.chat,
      endpointId: row.endpoint_id,
      lane: laneName(row.lane_key ?? ""),
      state,
      attempts: row.attempts,
      nextAttemptAt: isOwed(state) ? new Date(row.next_at) : null,
      lastStatus: row.last_status,
      lastError: row.last_error,
      failure: row.failure,
      replay: row.replay === 1,
      createdAt: new Date(row.created_at),
      doneAt: date(row.done_at),
    };
  };

  /** `<session>|<chat>` with the session's name. */
  const laneName = (key: string): string => {
    const bar = key.indexOf("|");
    return `${engine.sessionName(Number(key.slice(0, bar)))}${key.slice(bar)}`;
  };

  const within = (endpoints: "*" | string[]): Condition[] => {
    if (endpoints === "*") return [];
    const numbers = endpoints.map((id) => endpointNumber(engine, id));
    return [{ sql: `d.endpoint IN (${numbers.map(() => "?").join(", ")})`, values: numbers }];
  };

  return {
    list: call((query) => {
      const { endpoints, endpointId, sessionId, chatId, state, event, since, until, afterSeq } = query;
      const scope = within(endpoints);
      const numbers = scope[0]?.values;
      return pages.read<DeliveryRow, Delivery>({
        list: "deliveries",
        bound: { endpoints, endpointId, sessionId, chatId, state, event, since, until, afterSeq },
        request: query,
        columns: COLUMNS,
        from: FROM,
        scope,
        filters: conditionsOf(engine, query),
        // Rows are made in the order of their events.
        keys: ["d.n"],
        direction: "asc",
        keyOf: ({ n }) => [n],
        unfiltered: () =>
          tally
            .all()
            .reduce(
              (total, { endpoint, n }) => (numbers?.includes(endpoint) === false ? total : total + n),
              0,
            ),
        toItem: toDelivery,
      });
    }),
    get: call((n) => {
      const row = one.get(n);
      if (row === undefined) return null;
      return {
        delivery: toDelivery(row),
        body: row.body,
        attempts: attempts.all(n).map((attempt) => ({
          n: attempt.n,
          at: new Date(attempt.at),
          ms: attempt.ms,
          status: attempt.status,
          error: attempt.error,
          responseHead: attempt.response_head,
        })),
      };
    }),
    count: call((filter) => {
      const conditions = conditionsOf(engine, filter);
      const sql = `SELECT COUNT(*) AS total FROM delivery d CROSS JOIN event e ON e.seq = d.event_seq${whereOf(conditions)}`;
      return (
        engine.query<(string | number | null)[], { total: number }>(sql).get(...valuesOf(conditions))
          ?.total ?? 0
      );
    }),
  };
}
