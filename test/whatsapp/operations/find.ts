/** From what callers name (a number in any spelling, a name, nothing) to who is meant. */
import { currentCompanion, linkedCompanions, type Account } from "../state/account.ts";
import type { Companion } from "../state/companion.ts";
import type { Group } from "../state/groups.ts";
import type { Person } from "../state/people.ts";
import { digitsOf } from "../wire/jid.ts";
import type { World } from "../world.ts";
import { Refusal } from "./refusal.ts";

/** Left out: the only account there is. */
export function accountOf(reference: string | undefined, { accounts }: Pick<World, "accounts">): Account {
  if (reference === undefined) {
    const [only, ...others] = accounts.values();
    if (only && others.length === 0) return only;
    throw new Refusal(400, only ? "there are several accounts: name one" : "there is no account yet");
  }
  const account = accounts.get(digitsOf(reference));
  if (!account) throw new Refusal(404, `no account ${digitsOf(reference)}`);
  return account;
}

export function companionOf(account: Account, device?: number): Companion {
  const companion =
    device === undefined
      ? currentCompanion(account)
      : linkedCompanions(account).find((one) => one.device === device);
  if (!companion) throw new Refusal(409, `nothing is linked to account ${account.number}`);
  return companion;
}

/** A number, a LID, or a name of the address book; left out: its first entry. */
export function contactOf(
  reference: string | undefined,
  account: Account,
  { people }: Pick<World, "people">,
): Person {
  if (reference === undefined) {
    const [first] = account.addressBook.keys();
    if (first === undefined) throw new Refusal(400, "the address book is empty: say who writes");
    return people.get(first);
  }
  const known = people.find(reference);
  if (known) return known;
  const byName = [...account.addressBook].find(([, name]) => name === reference)?.[0];
  if (byName !== undefined) return people.get(byName);
  const digits = digitsOf(reference);
  if (!digits) throw new Refusal(404, "no contact of that name");
  return people.get(digits);
}

export function groupOf(reference: string, { groups }: Pick<World, "groups">): Group {
  const group = groups.get(reference);
  if (!group) throw new Refusal(404, "no such group");
  return group;
}
