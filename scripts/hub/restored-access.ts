/** Who gets in again after a restore: keys that were revoked and passwords that were changed since the copy are as they were. */
import { doneBy } from "../../hub/core/audit.ts";
import type { Store } from "../../hub/core/store.ts";
import { lines, moment, table } from "./show.ts";

/** A key or a user as the copy knows it. */
interface Access {
  kind: "key" | "user";
  id: string;
  name: string;
  createdAt: string;
  /** False: it is there, and lets nobody in. */
  works: boolean;
}

export async function accessIn({ keys, users }: Pick<Store, "keys" | "users">, now: Date): Promise<Access[]> {
  const ofKeys = (await keys.list()).map(({ id, name, createdAt, expiresAt }) => ({
    ...{ kind: "key" as const, id, name, createdAt: createdAt.toISOString() },
    works: expiresAt === null || expiresAt > now,
  }));
  const ofUsers = (await users.list()).map(({ id, identifier, createdAt, disabledAt }) => ({
    ...{ kind: "user" as const, id, name: identifier, createdAt: createdAt.toISOString() },
    works: disabledAt === null,
  }));
  return [...ofKeys, ...ofUsers];
}

/** Of what the copy brought back nothing lets anybody in: not for a moment, as it would until each is revoked at the running hub. */
export async function shutOut({ keys, users }: Pick<Store, "keys" | "users">, now: Date): Promise<void> {
  const order = (action: string, target: string) => doneBy("operator", action, now, { target });
  for (const { id } of await keys.list()) await keys.remove(id, order("key.revoked", id));
  for (const user of await users.list())
    if (user.disabledAt === null)
      await users.save({ ...user, disabledAt: now }, { ends: "all", entry: order("user.disabled", user.id) });
}

export function shutOutText(access: Access[]): string {
  const names = access.filter(({ kind }) => kind === "user").map(({ name }) => name);
  return lines(
    "",
    "All keys of the copy are revoked and all its users disabled. HUB_API_KEY gets in; without it the start shows a new key, once.",
    "Once the hub runs: npm run hub -- keys create, and for each user that may: users password <name>, users enable <name>.",
    names.length === 0 ? null : `Users: ${names.join(", ")}`,
    "",
  );
}

export function accessText(access: Access[], at: string): string {
  const rows = access.map(({ works, ...one }) => ({ ...one, works: works ? "yes" : "no" }));
  return lines(
    "",
    `Keys and users are those of ${moment(at)}: what was revoked, renewed, shut out or logged out since is as it was then, passwords too.`,
    table(rows, {
      kind: "kind",
      id: "id",
      name: "name",
      created: ({ createdAt }) => moment(createdAt),
      works: "works",
    }),
    "Once the hub runs, revoke again what must not work: npm run hub -- keys revoke <id>, users disable <name>, users password <name>.",
    "What you do not remember is in the audit log of the database kept aside.",
    "",
  );
}
