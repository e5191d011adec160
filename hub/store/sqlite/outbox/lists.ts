/** Deliveries as people and CRMs look at them: pages, one with its attempts, counts. */
import type { EventName } from "../../../contract/events.ts";
import type { Delivery, FailureClass } from "../../../core/delivery.ts";
import type { DeliveryFilter, OutboxStore } from "../../../core/store.ts";
import { call } from "../calls.ts";
import type { Engine } from "../engine.ts";
import { date } from "../json.ts";
import { createPager, valuesOf, whereOf, type Condition } from "../pager.ts";
import { endpointNumber, literal, notSending, walkOf } from "./filter.ts";
import { deliveryNumber, deliveryState, isOwed } from "./states.ts";

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
const LOOKED_UP = "CROSS JOIN endpoint p ON p.n = d.endpoint LEFT JOIN lane l ON l.id = d.lane";

export function createLists(engine: Engine): Pick<OutboxStore, "list" | "get" | "count"> {
  const { db } = engine;
  const one = db.prepare<[number], DeliveryRow & { body: string }>(
    `SELECT ${COLUMNS}, e.body FROM delivery d CROSS JOIN event e ON e.seq = d.event_seq ${LOOKED_UP} WHERE d.n = ?`,
  );
  const attempts = db.prepare<[number], AttemptRow>(
    "SELECT n, at, ms, status, error, response_head FROM attempt WHERE delivery = ? ORDER BY id",
  );
  const tally = db.prepare<[], { endpoint: number; state: number; n: number }>(
    "SELECT * FROM delivery_tally",
  );
  const pages = createPager(engine);

  const toDelivery = (row: DeliveryRow, sending: ReadonlySet<number>): Delivery => {
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
      isSending: isOwed(state) && sending.has(row.n),
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

  /** Known without counting while only endpoint and state are asked for. */
  const tallied = (filter: DeliveryFilter, endpoints: number[] | null): number | null => {
    const { sessionId, chatId, event, since, until, afterSeq, endpointId, state } = filter;
    if (state === "sending") return null;
    if ([sessionId, chatId, event, since, until, afterSeq].some((value) => value !== undefined)) return null;
    const endpoint = endpointId === undefined ? null : endpointNumber(engine, endpointId);
    return tally
      .all()
      .filter((row) => endpoints?.includes(row.endpoint) !== false)
      .filter((row) => endpoint === null || row.endpoint === endpoint)
      .filter((row) => state === undefined || row.state === deliveryNumber(state))
      .reduce((total, { n }) => total + n, 0);
  };

  /** Those of a state that are not on their way. */
  const totalWaiting = (filter: DeliveryFilter, state: number, endpoints: number[] | null): number | null => {
    const all = tallied(filter, endpoints);
    if (all === null) return null;
    const { from, conditions } = walkOf(engine, { ...filter, state: "sending" });
    return all - pages.count(from, [...within(endpoints), ...conditions, literal(`d.state = ${state}`)]);
  };

  return {
    list: call((query) => {
      const { endpoints, endpointId, sessionId, chatId, state, event, since, until, afterSeq } = query;
      const numbers = endpoints === "*" ? null : endpoints.map((id) => endpointNumber(engine, id));
      const { from, keys, conditions } = walkOf(engine, query);
      const waiting = notSending(engine, query);
      const sending = engine.leases.sending();
      return pages.read<DeliveryRow, Delivery>({
        list: "deliveries",
        bound: { endpoints, endpointId, sessionId, chatId, state, event, since, until, afterSeq },
        request: query,
        columns: COLUMNS,
        from: `${from} ${LOOKED_UP}`,
        scope: within(numbers),
        filters: [...conditions, ...(waiting?.conditions ?? [])],
        keys,
        direction: "asc",
        keyOf: ({ event_seq, n }) => (keys.length === 2 ? [event_seq, n] : [n]),
        knownTotal: () =>
          waiting === null ? tallied(query, numbers) : totalWaiting(query, waiting.state, numbers),
        toItem: (row) => toDelivery(row, sending),
      });
    }),
    get: call((n) => {
      const row = one.get(n);
      if (row === undefined) return null;
      return {
        delivery: toDelivery(row, engine.leases.sending()),
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
      const known = tallied(filter, null);
      if (known !== null) return known;
      const { from, conditions } = walkOf(engine, filter);
      const sql = `SELECT COUNT(*) AS total FROM ${from}${whereOf(conditions)}`;
      return (
        engine.query<(string | number | null)[], { total: number }>(sql).get(...valuesOf(conditions))
          ?.total ?? 0
      );
    }),
  };
}

const within = (endpoints: number[] | null): Condition[] =>
  endpoints === null
    ? []
    : [{ sql: `d.endpoint IN (${endpoints.map(() => "?").join(", ")})`, values: endpoints }];
