/**
 * Sending through the hub, also while it is away or the bridge's key may ask no more: what it cannot take now is kept on disk, and
 * sent when it can, in order per recipient and under the key of the first try, so that the hub takes it once. What it refuses is refused at once.
 */
import { createHash, randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import { BridgeError, HubUnavailable } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import type { EndedOrder, OutgoingOrders, WaitingOrder } from "../state/outgoing-orders.ts";
import { failureOfTry, isNotNow } from "./after-try.ts";
import { createDrain } from "./drain.ts";
import { ended } from "./ended.ts";
import { createFlights } from "./flights.ts";
import { laneOf } from "./lane-of.ts";

export interface SendOrder {
  sessionId: string;
  to: string;
  type: string;
  message: unknown;
}

interface SendCall {
  /** The hub takes one order of a key; a repeat while the first waits gets the first one's answer. */
  idempotencyKey: string;
  /** Whether it may be sent after this call: not for a caller who hung up and will order anew. */
  mayWait: () => boolean;
  /** The hub was found away a moment ago. */
  away?: HubUnavailable | null;
}

export type SendOutcome =
  | { outcome: "sent"; messageId: string; status: string }
  | { outcome: "queued"; queueId: string; queuedAt: string; expiresAt: string };

export interface OutgoingFigures {
  waiting: number;
  /** When the one that waits longest was ordered. */
  oldestAt: string | null;
  /** Failed and expired ones that are still listed. */
  failed: number;
}

export interface Outgoing {
  /**
   * Resolves when the hub took it, or when it is kept.
   * @throws HubUnavailable what the hub refused, or that it is away while nothing may be kept
   * @throws BridgeError `IDEMPOTENCY_CONFLICT`; `UNAVAILABLE` when there is no room for more;
   *   `DISK_FULL` or `STATE_NOT_KEPT` when it cannot be written down
   */
  send(order: SendOrder, call: SendCall): Promise<SendOutcome>;
  /** What waits, in its order, and what ended lately. */
  list(): { waiting: readonly WaitingOrder[]; ended: readonly EndedOrder[] };
  /**
   * Takes back what waits; of what failed or expired it takes the entry off the list.
   * @throws BridgeError `ORDER_NOT_FOUND`; `STATE_CONFLICT` when it is on its way at this moment, or was sent
   */
  cancel(queueId: string): Promise<void>;
  /** Takes back all that waits and is not on its way; how many. */
  cancelAll(): Promise<number>;
  figures(): OutgoingFigures;
  start(): void;
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface OutgoingParts {
  hub: Pick<HubClient, "sendMessage">;
  orders: OutgoingOrders;
  /** How long an order may wait; 0: none may. */
  ttlMs: number;
  clock: Clock;
  log: Log;
  /** How many may wait, and how much they may say together: the file they are kept in is written as a whole. */
  most?: { orders: number; bytes: number };
}

const MOST = { orders: 2_000, bytes: 1_000_000 };

export function createOutgoing({ hub, orders, ttlMs, clock, log, most = MOST }: OutgoingParts): Outgoing {
  const flights = createFlights(orders.read().waiting.at(-1)?.n ?? 0);
  /** In memory and not yet on the disk: nobody was promised anything. */
  const keeping = new Map<string, Promise<void>>();
  const drain = createDrain({ hub, orders, clock, log, mayGo: (order) => mayGo(order) });
  const mayGo = ({ queueId, n, ...order }: WaitingOrder): boolean =>
    !keeping.has(queueId) && !flights.isBefore(laneOf(order), n);
  let isStopped = false;

  const waitingUnder = (key: string) =>
    orders.read().waiting.find(({ idempotencyKey }) => idempotencyKey === key);
  const sentUnder = (key: string) =>
    orders.read().ended.find((one) => one.idempotencyKey === key && one.status === "sent");

  /** What this key stands for already; undefined when it is new, or when what it stood for was not sent. */
  const knownUnder = (key: string, digest: string) => {
    const known = waitingUnder(key) ?? sentUnder(key);
    if (known !== undefined && known.digest !== digest)
      throw new BridgeError("IDEMPOTENCY_CONFLICT", "This key was used for another request.");
    return known;
  };
  const answerOf = async (order: WaitingOrder | EndedOrder): Promise<SendOutcome> => {
    await keeping.get(order.queueId);
    return "messageId" in order && order.messageId !== null
      ? { outcome: "sent", messageId: order.messageId, status: "sent" }
      : queued(order);
  };

  const refuseBeyond = (bytes: number): void => {
    const { waiting } = orders.read();
    const said = waiting.reduce((sum, one) => sum + one.bytes, bytes);
    if (waiting.length < most.orders && said <= most.bytes) return;
    const problem = `The hub takes nothing now, and ${waiting.length} orders wait for it: no more can be kept.`;
    throw new BridgeError("UNAVAILABLE", problem);
  };

  const write = async (order: WaitingOrder): Promise<void> => {
    try {
      await orders.update((data) => {
        data.waiting = [...data.waiting, order].sort((one, other) => one.n - other.n);
      });
    } catch (cause) {
      orders.note((data) => {
        data.waiting = data.waiting.filter(({ queueId }) => queueId !== order.queueId);
      });
      log.error({ err: cause, queueId: order.queueId }, "send.not_kept");
      // It says what is wrong with the data folder, and what helps.
      if (cause instanceof BridgeError) throw cause;
      const problem = "The hub takes nothing now, and the order could not be written down.";
      throw new BridgeError("UNAVAILABLE", problem, { cause });
    } finally {
      keeping.delete(order.queueId);
    }
  };

  /** On the disk when it resolves. */
  const keep = async (order: WaitingOrder): Promise<SendOutcome> => {
    // Another call under this key may have found the hub away in the meantime.
    const known = knownUnder(order.idempotencyKey, order.digest);
    if (known !== undefined) return answerOf(known);
    refuseBeyond(order.bytes);
    const written = write(order);
    keeping.set(order.queueId, written);
    await written;
    log.info({ queueId: order.queueId, sessionId: order.sessionId }, "send.queued");
    drain.hasten();
    return queued(order);
  };

  const mayBeKept = (): boolean => ttlMs > 0 && !isStopped;
  /** What is known now is enough: nothing of its own is tried. */
  const goesBehind = (lane: string, away: HubUnavailable | null): boolean =>
    mayBeKept() &&
    (away !== null || drain.isHeld() || orders.read().waiting.some((one) => laneOf(one) === lane));

  const send: Outgoing["send"] = async (
    { sessionId, ...order },
    { idempotencyKey, mayWait, away = null },
  ) => {
    if (isStopped) throw new HubUnavailable("The bridge is shutting down.");
    const lane = laneOf({ sessionId, to: order.to });
    const now = clock.now().getTime();
    const digest = digestOf({ sessionId, ...order });
    const known = knownUnder(idempotencyKey, digest);
    if (known !== undefined) return answerOf(known);
    const flight = flights.begin(lane);
    const waitFor = (): Promise<SendOutcome> =>
      keep({
        ...order,
        sessionId,
        ...{ queueId: `out_${randomUUID()}`, idempotencyKey, digest, n: flight.n },
        queuedAt: new Date(now).toISOString(),
        expiresAt: new Date(now + ttlMs).toISOString(),
        ...{ bytes: Buffer.byteLength(JSON.stringify([order.to, order.message])), tries: 0, problem: null },
      });
    try {
      if (goesBehind(lane, away)) return await waitFor();
      const { messageId, status } = await hub.sendMessage(sessionId, order, idempotencyKey);
      return { outcome: "sent", messageId, status };
    } catch (cause) {
      if (!isNotNow(cause) || !mayBeKept() || !mayWait()) throw cause;
      const { scope, waitMs } = failureOfTry(cause, order.type);
      if (scope === "away") drain.foundAway(cause);
      if (scope === "limited") drain.foundLimited(waitMs);
      return await waitFor();
    } finally {
      flight.end();
      drain.look();
    }
  };

  const takeBack = async (given: readonly WaitingOrder[]): Promise<void> => {
    await orders.update((data) => {
      for (const order of given) ended(data, order, { status: "cancelled", now: clock.now() });
    });
    for (const { queueId } of given) log.info({ queueId }, "send.cancelled");
    drain.look();
  };

  return {
    send,
    list: () => orders.read(),
    cancel: async (queueId) => {
      const { waiting, ended: past } = orders.read();
      const order = waiting.find((one) => one.queueId === queueId);
      const before = past.find((one) => one.queueId === queueId);
      if (before?.status === "sent") throw new BridgeError("STATE_CONFLICT", "It was sent already.");
      if (drain.isTrying(queueId))
        throw new BridgeError("STATE_CONFLICT", "It is on its way to the hub at this moment.");
      if (order !== undefined) return takeBack([order]);
      if (before === undefined)
        throw new BridgeError("ORDER_NOT_FOUND", "There is no order of this queue_id.");
      await orders.update((data) => {
        data.ended = data.ended.filter((one) => one.queueId !== queueId);
      });
    },
    cancelAll: async () => {
      const free = orders.read().waiting.filter(({ queueId }) => !drain.isTrying(queueId));
      await takeBack(free);
      return free.length;
    },
    figures: () => {
      const { waiting, ended: past } = orders.read();
      return {
        waiting: waiting.length,
        oldestAt: waiting[0]?.queuedAt ?? null,
        failed: past.filter(({ status }) => status === "failed" || status === "expired").length,
      };
    },
    start: () => drain.start(),
    idle: () => drain.idle(),
    stop: async () => {
      isStopped = true;
      await drain.stop();
      await orders.close();
    },
  };
}

const queued = ({ queueId, queuedAt, expiresAt }: WaitingOrder | EndedOrder): SendOutcome => ({
  outcome: "queued",
  ...{ queueId, queuedAt, expiresAt },
});

const digestOf = ({ sessionId, to, type, message }: SendOrder): string =>
  createHash("sha256")
    .update(JSON.stringify([sessionId, to, type, message]))
    .digest("hex");
