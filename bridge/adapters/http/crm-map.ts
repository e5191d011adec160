/** `CRM_MAP`: where a CRM takes what, and what it calls the fields. Checked once, with the rest of the configuration. */
import { z } from "zod";
import { chatSchema, contactSchema, messageSchema, sessionSchema } from "../../../hub/contract/index.ts";
import type { ClientFields } from "../../adapter.ts";
import { CrmMisconfigured } from "../../errors.ts";
import type { MessageChange } from "../../records.ts";

/** Null: the CRM does not take these, and they are not sent. */
const optional = (path: string) => z.string().startsWith("/", "begin with a slash").nullable().default(path);
const needed = (path: string) => z.string().startsWith("/", "begin with a slash").default(path);

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
export type Names = Partial<Record<string, string | null>>;

/** A name that is none of ours would rename nothing, and nobody would notice. */
const names = (ours: object) =>
  z
    .strictObject(
      Object.fromEntries(
        Object.keys(ours).map((name) => [
          name,
          z.string().min(1, "use a name, or null").nullable().optional(),
        ]),
      ),
    )
    .transform((given): Names => given)
    .prefault({});

type KeyOf<Union> = Union extends unknown ? keyof Union : never;
type Status = Extract<MessageChange, { kind: "status" }>;
const all = <Key extends string>(keys: Record<Key, true>): Record<Key, true> => keys;

const fieldsSchema = z.strictObject({
  session: names({ ...sessionSchema.shape, settings: true }),
  contact: names(contactSchema.shape),
  chat: names(chatSchema.shape),
  message: names(messageSchema.shape),
  status: names(
    all<Exclude<keyof Status, "kind" | "fromMe" | "participant">>({
      ...{ chatId: true, messageId: true },
      ...{ status: true, at: true, error: true },
    }),
  ),
  change: names(
    all<KeyOf<Exclude<MessageChange, Status>>>({
      ...{ chatId: true, messageId: true, fromMe: true, participant: true },
      ...{ kind: true, at: true, content: true, from: true, emoji: true },
    }),
  ),
  client: names(
    all<keyof ClientFields>({
      ...{ externalId: true, code: true, name: true, email: true },
      ...{ phone: true, address: true, zone: true, nationalId: true, details: true },
    }),
  ),
});

export const crmMapSchema = z.strictObject({
  paths: pathsSchema.prefault({}),
  fields: fieldsSchema.prefault({}),
});

export function readCrmMap(map: unknown): z.infer<typeof crmMapSchema> {
  const read = crmMapSchema.safeParse(map ?? {});
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => [...path, message].join(": "));
  throw new CrmMisconfigured(`CRM_MAP cannot be used: ${problems.join("; ")}`);
}

export function renamed(item: object, names: Names): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) => {
      const theirs = names[name];
      return theirs === null ? [] : [[theirs ?? name, value]];
    }),
  );
}
