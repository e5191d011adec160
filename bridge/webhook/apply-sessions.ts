/** Accounts: the CRM's record of a session, the connection registry, and the sync that follows a connection. */
import { sessionSchema, type EventData } from "../../hub/contract/index.ts";
import { HubUnavailable } from "../errors.ts";
import { sessionLane } from "../lanes.ts";
import { goneSession } from "../gone-session.ts";
import type { Session } from "../records.ts";
import type { Connection } from "../state/bridge-state.ts";
import type { Applied } from "../applied.ts";
import { settle, type ApplyParts, type Handlers, type Told } from "./apply-parts.ts";

type Name = "session.connected" | "session.disconnected" | "session.status" | "session.qr" | "history.synced";
type Change = Exclude<Name, "history.synced">;

export function sessionHandlers(parts: ApplyParts): Handlers<Name> {
  const { adapter, hub, lanes, connections, requestSync, syncOnConnect, failed } = parts;
  /** Each session as it was last written: what an event about a deleted one does not tell. */
  const known = new Map<string, Session>();

  /** Most events tell a part of a session; the rest is asked, where there is somebody to ask. */
  const wholeOf = async <N extends Change>(
    told: Told<N>,
    from: (base: Session) => Session,
  ): Promise<Session> => {
    const { sessionId } = told;
    try {
      return (await hub.session(sessionId)).session;
    } catch (error) {
      const base = known.get(sessionId);
      const isGone = error instanceof HubUnavailable && error.code === "SESSION_NOT_FOUND";
      if (!isGone && base === undefined) throw error;
      return from(base ?? bareSession(told, connections.get(sessionId)));
    }
  };

  const write = async (told: Told<Change>, read: () => Promise<Session>): Promise<Applied> => {
    const { event, sessionId, position } = told;
    const { applied, kept, isDue } = await lanes.run(sessionLane(sessionId), async () => {
      const session = await read();
      const record = { sessionId, kind: "event", key: String(event.seq) } as const;
      const applied = await settle(failed, record, await adapter.upsertSession(session, position));
      // A sync may write newer settings before the next event.
      known.set(sessionId, { ...session, settings: undefined });
      const { becameConnected, kept } = connections.applied(event);
      return { applied, kept, isDue: applied.rejected === undefined && becameConnected && syncOnConnect };
    });
    // Outside of the lane, which the sync itself needs before it can begin.
    await Promise.all([kept, isDue ? requestSync(sessionId, "connected") : null]);
    return isDue ? { action: "sync_started" } : applied;
  };

  return {
    "session.connected": (told) =>
      write(told, () => {
        const connected = (base: Session): Session => ({
          ...base,
          ...shared(told.data, told.event.timestamp),
          state: "connected",
          pushName: told.data.pushName,
          connectedAt: told.event.timestamp,
          reason: null,
        });
        const base = known.get(told.sessionId);
        // The sync that follows reads the whole of it, within moments.
        return base !== undefined && syncOnConnect
          ? Promise.resolve(connected(base))
          : wholeOf(told, connected);
      }),
    "session.disconnected": (told) =>
      write(told, () =>
        wholeOf(told, (base) => ({
          ...base,
          ...shared(told.data, told.event.timestamp),
          state: told.data.state,
          reason: told.data.reason,
        })),
      ),
    "session.status": (told) => {
      const unreadCount = known.get(told.sessionId)?.unreadCount ?? 0;
      return write(told, () => Promise.resolve(sessionSchema.parse({ ...told.data, unreadCount })));
    },
    "session.qr": async (told) => {
      const applied = await write(told, () =>
        wholeOf(told, (base) => ({
          ...base,
          status: "qr_code",
          state: "qr",
          isConnected: false,
          hasQR: true,
          lastActivity: told.event.timestamp,
        })),
      );
      return applied.rejected === undefined ? { action: "qr_published" } : applied;
    },
    "history.synced": async ({ sessionId }) => {
      if (!syncOnConnect) return { action: "ignored" };
      await requestSync(sessionId, "history");
      return { action: "sync_started" };
    },
  };
}

const shared = (
  {
    status,
    isConnected,
    phoneNumber,
  }: Pick<EventData<"session.connected" | "session.disconnected">, "status" | "isConnected" | "phoneNumber">,
  lastActivity: string,
) => ({ status, isConnected, phoneNumber, hasQR: false, lastActivity });

/** A session the hub has no more and this process never saw: as much as the registry knows, or an event tells. */
const bareSession = ({ event, data, sessionId }: Told<Change>, row: Connection | null): Session =>
  goneSession(
    row ?? {
      sessionId,
      sessionName: null,
      sessionDbId: data.session_db_id,
      phoneNumber: null,
      manuallyDisconnected: false,
    },
    event.timestamp,
  );
