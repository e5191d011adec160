/** `CRM_MAP`: where a CRM takes what, and what it calls the fields. Checked once, when the adapter is opened. */
import { z } from "zod";
import { CrmMisconfigured } from "../../errors.ts";

/** Null: the CRM does not take these, and they are not sent. */
const optional = (path: string) => z.string().startsWith("/").nullable().default(path);
const needed = (path: string) => z.string().startsWith("/").default(path);

const pathsSchema = z.strictObject({
  session: needed("/sessions/{sessionId}"),
  notes: optional("/sessions/{sessionId}/notes"),
  contacts: needed("/contacts/batch"),
  chats: needed("/chats/batch"),
  messages: needed("/messages/batch"),
  statuses: needed("/statuses/batch"),
  changes: optional("/changes/batch"),
  merge: optional("/contacts/merge"),
  stats: needed("/stats"),
  clients: optional("/clients"),
});

/** Our name of a member to theirs; null leaves it out. */
const names = z.record(z.string(), z.string().min(1).nullable()).default({});
const fieldsSchema = z.strictObject({
  session: names,
  contact: names,
  chat: names,
  message: names,
  status: names,
  change: names,
  client: names,
});
export type CrmFields = z.infer<typeof fieldsSchema>;

const mapSchema = z.strictObject({
  paths: pathsSchema.prefault({}),
  fields: fieldsSchema.prefault({}),
});

export function readCrmMap(map: unknown): z.infer<typeof mapSchema> {
  const read = mapSchema.safeParse(map ?? {});
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new CrmMisconfigured(`CRM_MAP cannot be used: ${problems.join("; ")}`);
}

export function renamed(item: object, names: Record<string, string | null>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) => {
      const theirs = names[name];
      return theirs === null ? [] : [[theirs ?? name, value]];
    }),
  );
}
