/**
 * Pictures of contacts that have none yet. The hub is told after each sync to look everybody up, and asks WhatsApp in its own
 * time, slowly; a picture that it finds reaches the CRM as its `contact.updated`.
 */
import { failureFacts, HubUnavailable } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";

/** Never fails: a sync is done without pictures, and the next one asks again. */
export type AskForAvatars = (sessionId: string) => Promise<void>;

/** `most`: so many contacts of a session may be in the CRM; the hub looks up those that are active. */
export function createAvatars({
  hub,
  most,
  log,
}: {
  hub: Pick<HubClient, "lookUpAll">;
  most: number;
  log: Log;
}): AskForAvatars {
  let isOldHubTold = false;
  return async (sessionId) => {
    if (most === 0) return;
    try {
      const waiting = await hub.lookUpAll(sessionId, most);
      log.info({ sessionId, waiting }, "sync.pictures_asked");
    } catch (cause) {
      if (!isOfOldHub(cause)) log.warn({ sessionId, ...failureFacts(cause) }, "sync.pictures_failed");
      else if (!isOldHubTold) {
        isOldHubTold = true;
        log.warn({}, "sync.pictures_unknown_to_hub");
      }
    }
  };
}

/** A hub of before does not know the route. */
const isOfOldHub = (cause: unknown): boolean =>
  cause instanceof HubUnavailable && cause.status === 404 && cause.code !== "SESSION_NOT_FOUND";
