/** Callers name a session as they know it: by its id, its number, or the name of the CRM's record of it. */
import type { CrmAdapter } from "../adapter.ts";
import { BridgeError, HubUnavailable } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import { isNotNow } from "../outgoing/after-try.ts";
import type { Session } from "../records.ts";
import type { Connection } from "../state/bridge-state.ts";

const SESSION_ID = /^[A-Za-z0-9_-]{1,100}$/;

/** @throws BridgeError `SESSION_NOT_FOUND` */
export async function sessionNamed(
  name: string,
  { hub, adapter }: { hub: HubClient; adapter: CrmAdapter },
): Promise<Session> {
  const direct = await sessionOf(name, hub);
  if (direct !== null) return direct;
  const isMeant = ({ id, sessionName }: Session): boolean => sessionName === name || String(id) === name;
  const [only, second] = (await hub.sessions()).filter(isMeant);
  if (only !== undefined && second === undefined) return only;
  // Last: a CRM that is away keeps nobody from what the hub alone can do.
  const sessionId = (await adapter.sessionIdOf?.(name)) ?? null;
  const ofRecord = sessionId === null ? null : await sessionOf(sessionId, hub);
  if (ofRecord !== null) return ofRecord;
  throw new BridgeError("SESSION_NOT_FOUND", "The hub has no session of this name.");
}

/** What is remembered of the hub's sessions. */
export interface KnownSessions {
  get(sessionId: string): KnownSession | null;
  list(): KnownSession[];
}
type KnownSession = Pick<Connection, "sessionId" | "sessionName" | "sessionDbId" | "sessionExists">;

/** Whoever sends waits 30 seconds in all: a hub that makes the bridge wait longer for a name is as good as away. */
const PATIENCE_MS = 5_000;

/**
 * The id of the session that is meant, and why the hub could not be asked, where it is away and what it told before decides.
 * @throws BridgeError `SESSION_NOT_FOUND`; HubUnavailable when nothing is remembered either
 */
export async function sessionIdNamed(
  name: string,
  { hub, adapter, connections }: { hub: HubClient; adapter: CrmAdapter; connections: KnownSessions },
): Promise<{ sessionId: string; away: HubUnavailable | null }> {
  const isKnown = (sessionId: string): boolean => connections.get(sessionId)?.sessionExists === true;
  if (isKnown(name)) return { sessionId: name, away: null };
  try {
    return { sessionId: (await inTime(sessionNamed(name, { hub, adapter }))).sessionId, away: null };
  } catch (cause) {
    if (!isNotNow(cause)) throw cause;
    const [only, second] = connections
      .list()
      .filter((one) => one.sessionExists && (one.sessionName === name || String(one.sessionDbId) === name));
    if (only !== undefined && second === undefined) return { sessionId: only.sessionId, away: cause };
    const sessionId = (await adapter.sessionIdOf?.(name)) ?? null;
    if (sessionId !== null && isKnown(sessionId)) return { sessionId, away: cause };
    throw cause;
  }
}

function inTime<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const problem = `The hub did not answer within ${PATIENCE_MS / 1000} seconds.`;
    timer = setTimeout(() => reject(new HubUnavailable(problem)), PATIENCE_MS);
  });
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

/** Null when the hub does not have it. */
async function sessionOf(sessionId: string, hub: HubClient): Promise<Session | null> {
  if (!SESSION_ID.test(sessionId)) return null;
  try {
    return (await hub.session(sessionId)).session;
  } catch (cause) {
    if (cause instanceof HubUnavailable && cause.code === "SESSION_NOT_FOUND") return null;
    throw cause;
  }
}
