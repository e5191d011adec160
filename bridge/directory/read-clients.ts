/** Records of a directory → clients, whatever types its fields have; a record that is none is named and left out. */
import { z } from "zod";
import type { DirectoryClient } from "../adapter.ts";
import type { DirectoryPage, UnreadableRecord } from "./source.ts";

/** Each value as it was found in a record; `undefined` where there was none. */
export type RawClient = Record<keyof DirectoryClient, unknown>;

type Written = string | number | null | undefined;

/** Directories write ids and numbers as either; blank text says nothing. */
const written = z.union([z.string(), z.number(), z.null(), z.undefined()]);

const textOf = (value: Written): string | null =>
  value === null || value === undefined ? null : tidy(String(value));

const tidy = (value: string): string | null => {
  const trimmed = value.trim();
  return trimmed === "" ? null : trimmed;
};

const MISSING = "is missing";
const INEXACT = "is a number too large to be exact: the directory has to write it as text";

const text = written.transform(textOf);
/** Whose last digits were lost when it was read would be another person's. */
const id = written
  .refine((value) => typeof value !== "number" || Number.isSafeInteger(value), INEXACT)
  .transform(textOf);
const isGiven = (value: string | null): value is string => value !== null;

const clientSchema = z.object({
  externalId: id.refine(isGiven, MISSING),
  name: text.refine(isGiven, MISSING),
  email: text,
  phone: text,
  address: text,
  zone: text,
  nationalId: id,
  code: id,
  // Of no other kind is it worth a client.
  details: text.catch(null),
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
  const named = id.safeParse(externalId);
  return named.success && named.data !== null ? named.data : `#${index + 1}`;
}

const OURS = new Set([MISSING, INEXACT]);

/** Names the field and never its value, which is about a person. */
const problemOf = (error: z.ZodError): string =>
  error.issues
    .map(({ path, message }) => `${path.join(".")} ${OURS.has(message) ? message : "is not a text"}`)
    .join(", ");
