/** Whether what people were called for is still so, as far as it can be seen: sessions and endpoints say how they are. */
import { HUB_SESSION } from "../contract/events.ts";
import { isOpen } from "../core/session-state.ts";
import type { Session } from "../core/session.ts";
import type { EndpointStore, OutboxStore, SessionStore } from "../core/store.ts";
import { endpointAlert, hubAlert, isByOrder, isOfState, sessionAlert } from "./alert.ts";
import type { Standing } from "./alerts.ts";
import type { AlertCause } from "./causes.ts";
import type { Place } from "./open-alerts.ts";

export interface StandingParts {
  sessions: Pick<SessionStore, "get">;
  endpoints: Pick<EndpointStore, "get">;
  outbox: Pick<OutboxStore, "count">;
  isOverloaded: () => boolean;
  /** More of a session's messages cannot be decrypted than now and then happens. */
  isStormy: (sessionId: string) => boolean;
}

export function createStanding(parts: StandingParts): (place: Place) => Promise<Standing | null> {
  const { sessions, endpoints, outbox, isOverloaded, isStormy } = parts;

  async function ofEndpoint(id: string, cause: AlertCause): Promise<Standing | null> {
    const endpoint = await endpoints.get(id);
    if (endpoint === null || !endpoint.enabled) return null;
    const isSo =
      cause === "events_parked"
        ? (await outbox.count({ endpointId: id, state: "dead" })) > 0
        : endpoint.failingSince !== null || endpoint.state !== "active";
    return { alert: endpointAlert(id, cause), isSo };
  }

  return async ({ sessionId, cause, endpointId }) => {
    if (endpointId !== undefined) return ofEndpoint(endpointId, cause);
    if (sessionId === HUB_SESSION)
      return { alert: hubAlert(cause), isSo: cause === "overloaded" ? isOverloaded() : null };
    const session = await sessions.get(sessionId);
    if (session === null) return null;
    const isSo = cause === "messages_unreadable" ? isStormy(sessionId) : isTroubled(session, cause);
    return isSo === null ? null : { alert: sessionAlert(session, cause), isSo };
  };
}

/** Null: nobody's trouble any more, or people were called for something worse since. */
export function isTroubled(session: Session, cause: AlertCause): boolean | null {
  const { state, lostAt } = session;
  if (isByOrder(session)) return null;
  if (isOpen(state) && lostAt === null) return cause === "nothing_heard" && state === "degraded";
  if (cause !== "not_reconnecting" && cause !== "nothing_heard") return true;
  if (isOfState(state)) return null;
  // A code on show: WhatsApp answers, and the rest is a person's.
  return !(cause === "not_reconnecting" && (state === "qr" || state === "pairing_code"));
}
