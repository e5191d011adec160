/** An order leaves the queue: what it said is forgotten, what became of it can be asked for a while. */
import type { EndedOrder, OutgoingData, WaitingOrder } from "../state/outgoing-orders.ts";

const MOST = 500;
const KEPT_MS = 7 * 24 * 3600 * 1000;

export function ended(
  data: OutgoingData,
  { queueId, sessionId, to, idempotencyKey, digest, queuedAt, expiresAt }: WaitingOrder,
  {
    status,
    now,
    messageId = null,
    error = null,
  }: { status: EndedOrder["status"]; now: Date; messageId?: string | null; error?: string | null },
): void {
  const order = { queueId, sessionId, to, idempotencyKey, digest, queuedAt, expiresAt };
  const since = new Date(now.getTime() - KEPT_MS).toISOString();
  data.waiting = data.waiting.filter((one) => one.queueId !== queueId);
  data.ended = [
    ...data.ended.filter(({ endedAt }) => endedAt >= since),
    { ...order, status, messageId, error, endedAt: now.toISOString() },
  ].slice(-MOST);
}
