/** Who reads a QR code can link the account: only who may administer sees one, or decides where they are sent. */
import type { EventName } from "../contract/events.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { HubError } from "../core/errors.ts";
import type { Endpoints } from "../outbox/endpoints.ts";
import type { Caller } from "./auth.ts";

export const isQrEvent = (name: EventName): boolean => name === "session.qr";

/** @throws HubError `AUTHORIZATION_FAILED` */
export function requireForQr({ key }: Pick<Caller, "key">): void {
  if (!key.scopes.includes("admin"))
    throw new HubError("AUTHORIZATION_FAILED", "QR codes need the scope admin.", {
      details: { scope: "admin" },
    });
}

type Told = Pick<Endpoint, "includeQr" | "url" | "sessions" | "events" | "ca">;

/**
 * For an endpoint that is told QR codes, now or after the change: which ones, and where they go. Also where it is no longer
 * told them: what it is still owed, and what is replayed, goes to the new place.
 * @throws HubError `AUTHORIZATION_FAILED`
 */
export function requireForTelling(caller: Caller, before: Told | null, after: Told): void {
  if (before?.includeQr !== true && !after.includeQr) return;
  if (before === null || tellingOf(before) !== tellingOf(after)) requireForQr(caller);
}

const tellingOf = ({ includeQr, url, sessions, events, ca }: Told): string =>
  JSON.stringify([includeQr, url, sessions, events, ca]);

/** The same for the endpoint that a session manages. An empty URL only ends it. */
export async function requireForSessionHook(
  caller: Caller,
  sessionId: string,
  { url, secret }: { url?: string | undefined; secret?: string | undefined },
  endpoints: Pick<Endpoints, "forSession" | "hasSecret">,
): Promise<void> {
  if (url === "") return;
  const own = (await endpoints.forSession(sessionId)).find(({ managedBy }) => managedBy === "session");
  if (own?.includeQr !== true) return;
  requireForTelling(caller, own, { ...own, url: url ?? own.url });
  if (secret !== undefined && !endpoints.hasSecret(own, secret)) requireForQr(caller);
}
