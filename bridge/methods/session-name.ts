/** Callers name a session as they know it: by its id, its number, or the name of the CRM's record of it. */
import type { CrmAdapter } from "../adapter.ts";
import { BridgeError, HubUnavailable } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import type { Session } from "../records.ts";

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

/** Null when the hub does not have it. */
async function sessionOf(sessionId: string, hub: HubClient): Promise<Session | null> {
  if (!SESSION_ID.test(sessionId)) return null;
  try {
    return await hub.session(sessionId);
  } catch (cause) {
    if (cause instanceof HubUnavailable && cause.status === 404) return null;
    throw cause;
  }
}
