/** Tells the other endpoints, and the feed, that an event was given up for one of them: written with its settlement. */
import { rowId } from "../core/ids.ts";
import type { DueDelivery, NewEvent } from "../core/store.ts";

/** Null for what must not be told: a lost `delivery.dead` would make two dead endpoints tell each other for ever. */
export function parkedEvent(due: DueDelivery, error: string): NewEvent | null {
  if (due.event === "delivery.dead") return null;
  return {
    event: "delivery.dead",
    chatId: null,
    data: {
      deliveryId: rowId("dlv", due.n),
      endpointId: due.endpointId,
      eventId: due.eventId,
      seq: due.seq,
      chatId: shownChat(due.body),
      error,
    },
    exceptClient: null,
    exceptEndpoint: due.endpointId,
    notBefore: null,
  };
}

/** The chat as the event itself names it, in the session's own form of addresses. */
function shownChat(body: string): string | null {
  const event: unknown = JSON.parse(body);
  const data = member(event, "data");
  const chatId = member(data, "chatId") ?? member(member(data, "message"), "chatId");
  return typeof chatId === "string" ? chatId : null;
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
