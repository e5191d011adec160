/** What a caller may do to keys and users: never make or touch one that could do or see more than he can himself. */
import { isRangeWithin } from "../core/address-ranges.ts";
import type { ApiKey } from "../core/api-key.ts";
import { HubError } from "../core/errors.ts";
import type { User } from "../core/user.ts";
import type { Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";

type Power = Pick<ApiKey, "scopes" | "sessions" | "allowedCidrs">;

function isWithin({ key }: Caller, { scopes, sessions, allowedCidrs }: Power): boolean {
  if (!scopes.every((scope) => key.scopes.includes(scope))) return false;
  const places = key.allowedCidrs;
  if (
    places.length > 0 &&
    (allowedCidrs.length === 0 || !allowedCidrs.every((one) => isRangeWithin(one, places)))
  )
    return false;
  const mine = key.sessions;
  return mine === "*" || (sessions !== "*" && sessions.every((id) => mine.includes(id)));
}

/** @throws HubError `AUTHORIZATION_FAILED` */
export function refuseMorePower(caller: Caller, wanted: Power): void {
  if (!isWithin(caller, wanted))
    throw new HubError(
      "AUTHORIZATION_FAILED",
      "Nobody can give scopes, sessions or address ranges that he does not have himself.",
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

/** A person may come from anywhere. */
const powerOf = ({ scopes, sessions }: Pick<User, "scopes" | "sessions">): Power => ({
  ...{ scopes, sessions },
  allowedCidrs: [],
});

export const refuseMorePowerfulUser = (caller: Caller, wanted: Pick<User, "scopes" | "sessions">): void =>
  refuseMorePower(caller, powerOf(wanted));

export async function visibleUsers(caller: Caller, { store }: Pick<HttpContext, "store">): Promise<User[]> {
  return (await store.users.list()).filter((user) => isWithin(caller, powerOf(user)));
}

/** @throws HubError `NOT_FOUND`, the same for unknown users and for more powerful ones */
export async function reachUser(
  id: string,
  caller: Caller,
  { store }: Pick<HttpContext, "store">,
): Promise<User> {
  const user = await store.users.get(id);
  if (user === null || !isWithin(caller, powerOf(user)))
    throw new HubError("NOT_FOUND", "There is no such user.");
  return user;
}
