/** Who gets in again after a restore: keys that were revoked and passwords that were changed since the copy are as they were. */
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
