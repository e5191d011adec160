/** What an event, or the hub's list of sessions, says about a connection: one shape, whoever told it. */
import { parseEventData, type HubEvent } from "../../hub/contract/index.ts";
import type { Session } from "../records.ts";
import type { Connection } from "../state/bridge-state.ts";

export interface Told {
  status: Connection["status"];
  phoneNumber: string | null;
  /** ISO 8601: when it became so. */
  at: string;
  /** When this connection began; null where that is not told. */
  connectedAt: string | null;
  /** Why it is not connected, in words. */
  reason: string | null;
  /** A person ended it: by an order to the hub, or on the phone. */
  byPerson: boolean;
  /** Who ordered that end; null where nobody did, or the hub does not know who. */
  endedBy: string | null;
  /** Who ordered a connection that begins; null where this is none. */
  connectOrderedBy: string | null;
  /** The hub is trying again by itself. */
  isRetrying: boolean;
}

/** Null for events that say nothing of a connection. */
export function toldBy(event: HubEvent): Told | null {
  const { timestamp: at } = event;
  const nobody = { byPerson: false, endedBy: null, connectOrderedBy: null };
  const told = { at, connectedAt: null, reason: null, ...nobody, isRetrying: false };
  if (event.event === "session.connected") {
    const data = parseEventData(event.event, event.data);
    return data && { ...told, connectedAt: at, status: "connected", phoneNumber: data.phoneNumber };
  }
  if (event.event === "session.disconnected") {
    const data = parseEventData(event.event, event.data);
    return data && { ...told, ...lossOf(data), isRetrying: data.willRetry };
  }
  if (event.event === "session.status") {
    const data = parseEventData(event.event, event.data);
    const isRetrying = data?.state === "reconnecting";
    return data && { ...told, ...lossOf(data), connectOrderedBy: data.by ?? null, isRetrying };
  }
  return null;
}

export const toldByList = (session: Session, now: Date): Told => ({
  ...lossOf(session),
  // The reason of a loss says nothing of the connection after it.
  at: (session.status === "connected" ? null : session.reason?.at) ?? now.toISOString(),
  connectedAt: session.connectedAt,
  connectOrderedBy: null,
  isRetrying: session.state === "reconnecting",
});

/** States that only a person's will leads to, or that only a person can leave. */
const ENDED = ["stopped", "logged_out"];

const lossOf = ({
  status,
  state,
  phoneNumber,
  reason,
}: Pick<Session, "status" | "state" | "phoneNumber" | "reason">) => ({
  status,
  phoneNumber,
  reason: reason?.text ?? null,
  byPerson: ENDED.includes(state) && reason?.blame === "user",
  endedBy: reason?.by ?? null,
});
