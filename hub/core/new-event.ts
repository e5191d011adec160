/** An event about to be recorded; the store gives it `id` and `seq`, and freezes its bytes. */
import type { EventName } from "../contract/events.ts";
import type { Jid } from "./jid.ts";

export interface NewEvent {
  event: EventName;
  /** Lane of events of kind `chat`; null for the session's lane. */
  chatId: Jid | null;
  /** Without `sessionId` and `session_db_id`: the store puts them first. */
  data: Record<string, unknown>;
  /** Label of the API client whose own endpoints must not get it. */
  exceptClient: string | null;
  /** Id of an endpoint that must not get it: the event tells the others about that one. */
  exceptEndpoint?: string;
  /** Deliveries wait until then (an answer to the sender must arrive before the webhook about it). */
  notBefore: Date | null;
}
