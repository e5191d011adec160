/** Records of a directory → clients, whatever types its fields have; a record that is none is named and left out. */
import { z } from "zod";
import type { DirectoryClient } from "../adapter.ts";
import type { DirectoryPage, UnreadableRecord } from "./source.ts";

/** Each value as it was found in a record; `undefined` where there was none. */
export type RawClient = Record<keyof DirectoryClient, unknown>;

/** Directories write ids and numbers as either; blank text says nothing. */
const text = z
  .union([z.string(), z.number(), z.null(), z.undefined()])
  .transform((value) => (value === null || value === undefined ? null : tidy(String(value))));

const tidy = (written: string): string | null => {
  const trimmed = written.trim();
  return trimmed === "" ? null : trimmed;
};

const needed = text.refine((value) => value !== null, "is missing");

const clientSchema = z.object({
  externalId: needed,
  name: needed,
  email: text,
  phone: text,
  address: text,
  zone: text,
  nationalId: text,
  code: text,
});

export function readClients(records: RawClient[]): Pick<DirectoryPage, "clients" | "unreadable"> {
  const clients: DirectoryClient[] = [];
  const unreadable: UnreadableRecord[] = [];
  records.forEach((record, index) => {
    const parsed = clientSchema.safeParse(record);
    if (parsed.success) clients.push(parsed.data);
    else unreadable.push({ externalId: nameOf(record, index), error: problemOf(parsed.error) });
  });
  return { clients, unreadable };
}

function nameOf({ externalId }: RawClient, index: number): string {
  const id = text.safeParse(externalId);
  return id.success && id.data !== null ? id.data : `#${index + 1}`;
}

/** Names the field and never its value, which is about a person. */
const problemOf = (error: z.ZodError): string =>
  error.issues
    .map(({ path, message }) => `${path.join(".")} ${message === "is missing" ? message : "is not a text"}`)
    .join(", ");
