/** How an operator describes a directory that answers pages of JSON. Anything unknown or missing is named before the bridge starts. */
import { z } from "zod";

/** Names joined by dots, from the outside in; a number picks from a list: `meta.total`, `phones.0.number`. */
const path = z.string().regex(/^[^.]+(\.[^.]+)*$/, "use names joined by dots, such as meta.total");

const urlTemplate = z.string().refine((text) => {
  const example = text.replaceAll("{page}", "1").replaceAll("{per_page}", "1");
  const isHttp = URL.canParse(example) && ["http:", "https:"].includes(new URL(example).protocol);
  return isHttp && text.includes("{page}");
}, "use an http(s) URL with {page} in it, and {per_page} where the directory takes one");

/** Anything unknown is refused: a misspelt field would silently leave its column empty. */
export const jsonSourceSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9_-]{1,40}$/, "use 1 to 40 lower-case letters, digits, _ and -")
    .default("json"),
  /** Begins the codes of clients to whom the directory gives none. */
  codePrefix: z
    .string()
    .regex(/^[A-Za-z0-9]{1,10}$/, "use 1 to 10 letters and digits")
    .default("EXT"),
  url: urlTemplate,
  headers: z.record(z.string(), z.string()).default({}),
  perPage: z.int().min(1).max(1000).default(100),
  timeoutMs: z.int().min(100).max(300_000).default(30_000),
  /** Where the list of clients is. */
  list: path,
  totalRecords: path,
  /** Reckoned from the records where the answer does not say. */
  totalPages: path.optional(),
  /** As many as the longest page has where the answer does not say. */
  pageSize: path.optional(),
  /** What a good answer says, for directories that report errors inside HTTP 200. */
  success: z.strictObject({ path, equals: z.union([z.string(), z.number(), z.boolean()]) }).optional(),
  fields: z.strictObject({
    externalId: path,
    name: path,
    email: path.optional(),
    phone: path.optional(),
    address: path.optional(),
    zone: path.optional(),
    nationalId: path,
    code: path.optional(),
    details: path.optional(),
  }),
});

export type JsonSourceConfig = z.infer<typeof jsonSourceSchema>;
