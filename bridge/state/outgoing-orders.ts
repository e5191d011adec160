/**
 * What was ordered to be sent while the hub was away, kept until the hub has taken it. Unlike the rest of the bridge's memory it
 * is read again from nowhere, so it has a file of its own that nothing else rewrites.
 */
import { z } from "zod";
import type { Kept } from "./kept.ts";

const moment = z.iso.datetime();
const count = z.int().min(0);

const orderSchema = z.object({
  queueId: z.string(),
  sessionId: z.string(),
  /** As the caller wrote it. */
  to: z.string(),
  idempotencyKey: z.string(),
  /** Of what is to be sent: another order under the same key is told apart by it, also when the message itself is gone. */
  digest: z.string(),
  /** When its caller came, before the hub was tried the first time: the hub counts the life of a key from no earlier. */
  queuedAt: moment,
  expiresAt: moment,
});

/**
 * waiting     until the hub takes it (crash: still waiting; tried again under its key, which the hub takes once)
 * sent        the hub took it; final
 * failed      the hub refused it, `error` says why; final
 * expired     its time to live ended first; final
 * cancelled   by order; final
 */
const waitingSchema = orderSchema.extend({
  /** Its place in the order of arrival. */
  n: count,
  type: z.string(),
  message: z.unknown(),
  bytes: count,
  tries: count,
  /** Why the last try did not succeed. */
  problem: z.string().nullable(),
});
export type WaitingOrder = z.infer<typeof waitingSchema>;

const endedSchema = orderSchema.extend({
  status: z.enum(["sent", "failed", "expired", "cancelled"]),
  messageId: z.string().nullable(),
  error: z.string().nullable(),
  endedAt: moment,
});
export type EndedOrder = z.infer<typeof endedSchema>;

export const outgoingDataSchema = z.object({
  /** In the order of arrival. */
  waiting: z.array(waitingSchema),
  /** Without what they said; the latest ones, oldest first. */
  ended: z.array(endedSchema),
});
export type OutgoingData = z.infer<typeof outgoingDataSchema>;

export const emptyOutgoingData = (): OutgoingData => ({ waiting: [], ended: [] });

export type OutgoingOrders = Kept<OutgoingData>;
