/** Orders to send that the hub could not take yet, and what became of them: listed, and taken back. */
import { z } from "zod";
import { BridgeError } from "../errors.ts";
import type { Outgoing } from "../outgoing/outgoing.ts";
import type { EndedOrder, WaitingOrder } from "../state/outgoing-orders.ts";
import { flagArgument, method, word, type Method } from "./method.ts";

export interface QueuedParts {
  outgoing: Pick<Outgoing, "list" | "cancel" | "cancelAll">;
}

const STATUSES = ["queued", "sent", "failed", "expired", "cancelled"] as const;

export function queuedMethods({ outgoing }: QueuedParts): Method[] {
  return [
    method({
      name: "api.messages.list_queued",
      role: "read",
      args: {
        /** The session's id: what waits is known while the hub, which knows the names, is away. */
        session_name: word.optional(),
        queue_id: word.optional(),
        status: z.enum(STATUSES, `use one of ${STATUSES.join(", ")}`).optional(),
      },
      run: ({ session_name: session, queue_id: id, status }) => {
        const { waiting, ended } = outgoing.list();
        const orders = [...waiting.map(waitingShown), ...ended.map(endedShown).reverse()].filter(
          (one) =>
            (session === undefined || one.session === session) &&
            (id === undefined || one.queue_id === id) &&
            (status === undefined || one.status === status),
        );
        return Promise.resolve({ success: true, waiting: waiting.length, orders });
      },
    }),
    method({
      name: "api.messages.cancel_queued",
      role: "admin",
      args: { queue_id: word.optional(), all: flagArgument(false) },
      run: async ({ queue_id: id, all }) => {
        if (!all && id === undefined)
          throw new BridgeError("VALIDATION_ERROR", "Say what to cancel: queue_id, or all.");
        if (all) return { success: true, cancelled: await outgoing.cancelAll() };
        await outgoing.cancel(id ?? "");
        return { success: true, cancelled: 1 };
      },
    }),
  ];
}

const waitingShown = ({ tries, problem, ...order }: WaitingOrder) => ({
  ...shown(order),
  status: "queued",
  tries,
  error: problem,
  message_id: null,
  ended_at: null,
});

const endedShown = ({ status, messageId, error, endedAt, ...order }: EndedOrder) => ({
  ...shown(order),
  status,
  tries: null,
  error,
  message_id: messageId,
  ended_at: endedAt,
});

const shown = ({
  queueId,
  sessionId,
  to,
  queuedAt,
  expiresAt,
}: Pick<WaitingOrder, "queueId" | "sessionId" | "to" | "queuedAt" | "expiresAt">) => ({
  queue_id: queueId,
  session: sessionId,
  to,
  queued_at: queuedAt,
  expires_at: expiresAt,
});
