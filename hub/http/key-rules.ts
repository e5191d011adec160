/** What a key may do to keys: never make or touch one that could do or see more than it can itself. */
import type { ApiKey } from "../core/api-key.ts";
import { HubError } from "../core/errors.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";

type Power = Pick<ApiKey, "scopes" | "sessions">;

function isWithin({ key }: Caller, { scopes, sessions }: Power): boolean {
  if (!scopes.every((scope) => key.scopes.includes(scope))) return false;
  const mine = key.sessions;
  return mine === "*" || (sessions !== "*" && sessions.every((id) => mine.includes(id)));
}

/** @throws HubError `AUTHORIZATION_FAILED` */
export function refuseMorePower(caller: Caller, wanted: Power): void {
  if (!isWithin(caller, wanted))
    throw new HubError(
      "AUTHORIZATION_FAILED",
      "A key cannot give scopes or sessions that it does not have itself.",
    );
}

export async function visibleKeys(caller: Caller, { store }: Pick<HttpContext, "store">): Promise<ApiKey[]> {
  return (await store.keys.list()).filter((key) => isWithin(caller, key));
}

/** @throws HubError `NOT_FOUND`, the same for unknown keys and for more powerful ones */
export async function reachKey(
  id: string,
  caller: Caller,
  { store }: Pick<HttpContext, "store">,
): Promise<ApiKey> {
  const key = await store.keys.get(id);
  if (key === null || !isWithin(caller, key)) throw new HubError("NOT_FOUND", "There is no such key.");
  return key;
}
