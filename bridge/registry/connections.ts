/** The registry of connections: what the bridge knows of each account, who ended it and when. Kept beside the CRM, not in it. */
import type { HubEvent } from "../../hub/contract/index.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { own } from "../own.ts";
import type { Session } from "../records.ts";
import type {
  BridgeData,
  BridgeState,
  Connection,
  Correction,
  Disconnection,
} from "../state/bridge-state.ts";
import { keepGone } from "./forget-gone.ts";
import {
  connectOrdered,
  mayReconnect,
  newConnection,
  nextConnection,
  type Change,
} from "./next-connection.ts";
import { toldBy, toldByList, type Told } from "./told.ts";

export type Difference = Pick<Correction, "field" | "from" | "to">;

export interface ConnectionFigures {
  /** Sessions the hub has. */
  total: number;
  connected: number;
  inError: number;
  manuallyDisconnected: number;
  connectedLast24h: number;
  /** Newest first. */
  lastDisconnections: Disconnection[];
}

export interface Connections {
  /**
   * A `session.*` event; one older than what is known changes nothing, the same one again answers as before. It counts at
   * once, so that what follows from it can be kept in the same write; `kept` resolves when it outlives the process.
   */
  applied(event: HubEvent): { becameConnected: boolean; kept: Promise<void> };
  /** What `seen` would correct: whoever acts on it does so first, for once it is kept nobody sees it again. */
  differing(session: Session, position: number): Difference[];
  /** The hub's own list says so; what differed is corrected, kept and logged. */
  seen(session: Session, position: number): Promise<Correction[]>;
  /** The hub does not have this session any more. */
  gone(sessionId: string): Promise<Correction[]>;
  /**
   * A person ends it through the bridge: no automatic reconnect until a person connects it. `doneSeq`: the hub's newest number
   * once it was done, where it tells it; what has a higher one came after it.
   */
  disconnectedBy(sessionId: string, by: string, doneSeq?: number | null): Promise<void>;
  connectOrdered(sessionId: string, by: string, doneSeq?: number | null): Promise<void>;
  /** Of an account that is there already it is only noted in the log: the hub answers with it as it is. */
  createOrdered(sessionId: string, by: string): Promise<void>;
  get(sessionId: string): Connection | null;
  list(): Connection[];
  shouldAutoReconnect(sessionId: string): boolean;
  figures(): ConnectionFigures;
}

const MOST_DISCONNECTIONS = 200;
const MOST_CORRECTIONS = 500;
const SHOWN_DISCONNECTIONS = 20;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The event of an order may be here before the order's author is known: so long an entry waits for the name. */
const NAMED_WITHIN_MS = 60_000;

export function createConnections({
  state,
  clock,
  log,
}: {
  state: BridgeState;
  clock: Clock;
  log: Log;
}): Connections {
  const get = (sessionId: string): Connection | null => own(state.read().connections, sessionId) ?? null;

  const write = (data: BridgeData, { next, disconnection }: Change): void => {
    if (next.sessionExists) data.connections[next.sessionId] = next;
    else keepGone(data, next);
    if (disconnection !== null)
      data.disconnections = [...data.disconnections, disconnection].slice(-MOST_DISCONNECTIONS);
  };

  /** `soon`: the disk is not waited for. A kill takes the feed's mark back as well, and the feed tells it again. */
  const keep = async (change: Change, soon: boolean): Promise<void> => {
    const written = (data: BridgeData): void => write(data, change);
    if (soon) state.note(written);
    else await state.update(written);
  };

  /** Keeps the row and what was corrected in it, unless nothing was. */
  const correct = async (change: Change, fields: Difference[]) => {
    const { sessionId } = change.next;
    const at = clock.now().toISOString();
    const corrections = fields.map((field): Correction => ({ sessionId, at, ...field }));
    await state.update((data) => {
      write(data, change);
      data.corrections = [...data.corrections, ...corrections].slice(-MOST_CORRECTIONS);
    });
    for (const { field, from, to } of corrections)
      log.info(
        field === "phoneNumber" ? { sessionId, field } : { sessionId, field, from, to },
        "connection.corrected",
      );
    return corrections;
  };

  /** The hub's list beside what is known now; null where that is newer. */
  const listed = (
    session: Session,
    position: number,
  ): { before: Connection; change: Change; fields: Difference[] } | null => {
    const row = get(session.sessionId);
    if (row !== null && position < row.seq) return null;
    const before = row ?? newConnection(session.sessionId);
    const change = nextConnection(before, toldByList(session, clock.now()), Math.max(before.seq, position));
    // A list says what is, not that something happened: it counts no attempts.
    change.next.reconnectAttempts = Math.min(change.next.reconnectAttempts, before.reconnectAttempts);
    Object.assign(change.next, { sessionName: session.sessionName, sessionDbId: session.id });
    const fields =
      row === null
        ? [{ field: "session", from: "unknown", to: session.status }]
        : differences(row, change.next);
    return { before, change, fields };
  };

  const rename = (data: BridgeData, sessionId: string, by: string): void => {
    const since = clock.now().getTime() - NAMED_WITHIN_MS;
    const last = data.disconnections.findLast((entry) => entry.sessionId === sessionId);
    if (last !== undefined && Date.parse(last.at) >= since) last.by = by;
  };

  return {
    applied: (event) => {
      const told = toldBy(event);
      const row = get(event.sessionId) ?? newConnection(event.sessionId);
      const nothing = Promise.resolve();
      if (told === null || event.seq < row.seq) return { becameConnected: false, kept: nothing };
      const becameConnected = told.status === "connected" && isTransition(event, row);
      // The same event again: it was written, and perhaps not acted on before a crash.
      if (event.seq === row.seq && event.seq > 0) return { becameConnected, kept: nothing };
      const change = nextConnection(row, told, event.seq);
      const kept = keep(change, isOnTheWay(told, change)).then(() => {
        log.info({ sessionId: row.sessionId, from: row.status, to: told.status }, "connection.told");
      });
      return { becameConnected, kept };
    },
    differing: (session, position) => listed(session, position)?.fields ?? [],
    seen: async (session, position) => {
      const found = listed(session, position);
      if (found === null) return [];
      const { before, change, fields } = found;
      if (fields.length > 0) return correct(change, fields);
      if (before.sessionName !== session.sessionName || before.sessionDbId !== session.id)
        await state.update((data) => write(data, change));
      return [];
    },
    gone: async (sessionId) => {
      const row = get(sessionId);
      if (row === null || !row.sessionExists) return [];
      const at = clock.now().toISOString();
      const isLoss = row.status === "connected";
      const next: Connection = {
        ...row,
        sessionExists: false,
        status: "disconnected",
        lastDisconnectedAt: isLoss ? at : row.lastDisconnectedAt,
      };
      const disconnection = isLoss ? { sessionId, at, reason: "deleted", by: row.disconnectedBy } : null;
      return correct({ next, disconnection }, differences(row, next));
    },
    disconnectedBy: async (sessionId, by, doneSeq = null) => {
      await state.update((data) => {
        const row = own(data.connections, sessionId) ?? newConnection(sessionId);
        data.connections[sessionId] = {
          ...row,
          ...{ manuallyDisconnected: true, disconnectedBy: by },
          disconnectOrderedAt: clock.now().toISOString(),
          disconnectOrderedSeq: doneSeq,
        };
        rename(data, sessionId, by);
      });
      log.info({ sessionId, by }, "connection.ended_by_order");
    },
    connectOrdered: async (sessionId, by, doneSeq = null) => {
      const at = clock.now().toISOString();
      await state.update((data) => {
        const row = own(data.connections, sessionId) ?? newConnection(sessionId);
        data.connections[sessionId] = {
          ...connectOrdered(row, by, at),
          ...{ connectOrderedSeq: doneSeq, reconnectAttempts: 0 },
        };
      });
      log.info({ sessionId, by }, "connection.ordered");
    },
    createOrdered: async (sessionId, by) => {
      if (get(sessionId)?.sessionExists !== true)
        await state.update((data) => {
          const row = own(data.connections, sessionId) ?? newConnection(sessionId);
          data.connections[sessionId] = { ...row, sessionExists: true, createdBy: by };
        });
      log.info({ sessionId, by }, "connection.created_by_order");
    },
    get,
    list: () => Object.values(state.read().connections),
    shouldAutoReconnect: (sessionId) => {
      const row = get(sessionId);
      return row !== null && mayReconnect(row);
    },
    figures: () => {
      const { connections, disconnections } = state.read();
      const rows = Object.values(connections).filter(({ sessionExists }) => sessionExists);
      const since = clock.now().getTime() - DAY_MS;
      return {
        total: rows.length,
        connected: rows.filter(({ status }) => status === "connected").length,
        inError: rows.filter(({ status }) => status === "error").length,
        manuallyDisconnected: rows.filter((row) => row.manuallyDisconnected).length,
        connectedLast24h: rows.filter(
          ({ status, lastConnectedAt }) =>
            status === "connected" || (lastConnectedAt !== null && Date.parse(lastConnectedAt) >= since),
        ).length,
        lastDisconnections: disconnections.slice(-SHOWN_DISCONNECTIONS).reverse(),
      };
    },
  };
}

/** `session.connected` is told at each transition, also where the bridge missed the loss before it. */
const isTransition = (event: HubEvent, row: Connection): boolean =>
  event.event === "session.connected" || row.status !== "connected";

/**
 * Steps towards a connection follow each other within milliseconds, and the hub tells the next one of an account only when the one
 * before is answered.
 */
const isOnTheWay = (told: Told, { disconnection }: Change): boolean =>
  told.status !== "connected" && !told.byPerson && disconnection === null;

const COMPARED = ["status", "phoneNumber", "sessionExists", "manuallyDisconnected"] as const;

const differences = (before: Connection, after: Connection): Difference[] =>
  COMPARED.filter((field) => before[field] !== after[field]).map((field) => ({
    field,
    from: String(before[field]),
    to: String(after[field]),
  }));
