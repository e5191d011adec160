/** Whether a receiver already has a higher status of the same message: sending the lower one now would set it back. */
import type { EventName } from "../contract/events.ts";
import type { DueDelivery, OutboxStore } from "../core/store.ts";

const HIGHER: Partial<Record<EventName, EventName[]>> = {
  "message.sent": ["message.delivered", "message.read"],
  "message.delivered": ["message.read"],
};
const LOOKED_AT = 50;

export async function isOvertaken(
  due: DueDelivery,
  outbox: Pick<OutboxStore, "get" | "list">,
): Promise<boolean> {
  const higher = HIGHER[due.event];
  const messageId = messageIdOf(due.body);
  if (higher === undefined || messageId === null) return false;
  const chatId = (await outbox.get(due.n))?.delivery.chatId ?? undefined;
  for (const event of higher) {
    const { items } = await outbox.list({
      endpoints: [due.endpointId],
      endpointId: due.endpointId,
      sessionId: due.sessionId,
      chatId,
      event,
      state: "delivered",
      afterSeq: due.seq,
      page: 1,
      limit: LOOKED_AT,
    });
    for (const { n } of items)
      if (messageIdOf((await outbox.get(n))?.body ?? "null") === messageId) return true;
  }
  return false;
}

/** Bodies are our own frozen events, so that parsing them cannot fail. */
function messageIdOf(body: string): string | null {
  const event: unknown = JSON.parse(body);
  if (typeof event !== "object" || event === null || !("data" in event)) return null;
  const { data } = event;
  if (typeof data !== "object" || data === null || !("messageId" in data)) return null;
  return typeof data.messageId === "string" ? data.messageId : null;
}
