/** Any directory that answers pages of JSON: where its pages are and where its fields stand is configuration. */
import { z } from "zod";
import { readClients, type RawClient } from "./read-clients.ts";
import { readJson } from "./read-json.ts";
import { DirectoryPageFailed, type DirectoryPage, type DirectorySource } from "./source.ts";

/** Names joined by dots, from the outside in; a number picks from a list: `meta.total`, `phones.0.number`. */
const path = z.string().regex(/^[^.]+(\.[^.]+)*$/, "use names joined by dots, such as meta.total");

const urlTemplate = z.string().refine((text) => {
  const example = text.replaceAll("{page}", "1").replaceAll("{per_page}", "1");
  const isHttp = URL.canParse(example) && ["http:", "https:"].includes(new URL(example).protocol);
  return isHttp && text.includes("{page}");
}, "use an http(s) URL with {page} in it, and {per_page} where the directory takes one");

/** Anything unknown is refused: a misspelt field would silently leave its column empty. */
const jsonSourceSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9_-]{1,40}$/)
    .default("json"),
  /** Begins the codes of clients to whom the directory gives none. */
  codePrefix: z
    .string()
    .regex(/^[A-Za-z0-9]{1,10}$/)
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
  /** As asked for where the answer does not say. */
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
  }),
});

type JsonSourceConfig = z.infer<typeof jsonSourceSchema>;

const recordSchema = z.record(z.string(), z.unknown());
const count = z.coerce.number().int().min(0);

/** @throws Error naming everything that is wrong with the configuration */
export function createJsonSource(written: unknown): DirectorySource {
  const parsed = jsonSourceSchema.safeParse(written);
  if (!parsed.success) throw new Error(`Invalid directory source:\n${z.prettifyError(parsed.error)}`);
  const config = parsed.data;
  return {
    name: config.name,
    codePrefix: config.codePrefix,
    page: async (n, signal) => {
      const url = config.url.replaceAll("{page}", String(n)).replaceAll("{per_page}", String(config.perPage));
      const { headers, timeoutMs } = config;
      return pageOf(await readJson({ url: new URL(url), headers, timeoutMs, signal }), config);
    },
  };
}

function pageOf(answer: unknown, config: JsonSourceConfig): DirectoryPage {
  const { success, list } = config;
  if (success !== undefined && at(answer, success.path) !== success.equals)
    throw new DirectoryPageFailed(`${success.path} is not ${success.equals}`);
  const records = at(answer, list);
  if (!Array.isArray(records)) throw new DirectoryPageFailed(`${list} is not a list`);
  const totalRecords = countAt(answer, config.totalRecords);
  const perPage = config.pageSize === undefined ? config.perPage : countAt(answer, config.pageSize);
  if (perPage === 0) throw new DirectoryPageFailed("the page size is 0");
  return {
    ...readClients(records.map((record: unknown) => rawClient(record, config.fields))),
    totalRecords,
    totalPages:
      config.totalPages === undefined
        ? Math.ceil(totalRecords / perPage)
        : countAt(answer, config.totalPages),
    perPage,
  };
}

function countAt(answer: unknown, where: string): number {
  const found = at(answer, where);
  const parsed = count.safeParse(found ?? undefined);
  if (!parsed.success) throw new DirectoryPageFailed(`${where} is not a count`);
  return parsed.data;
}

function rawClient(record: unknown, fields: JsonSourceConfig["fields"]): RawClient {
  const field = (where: string | undefined): unknown => (where === undefined ? undefined : at(record, where));
  return {
    externalId: field(fields.externalId),
    name: field(fields.name),
    email: field(fields.email),
    phone: field(fields.phone),
    address: field(fields.address),
    zone: field(fields.zone),
    nationalId: field(fields.nationalId),
    code: field(fields.code),
  };
}

/** Own members only: `constructor` is nobody's field. */
function at(value: unknown, where: string): unknown {
  return where.split(".").reduce<unknown>((inside, name) => {
    if (Array.isArray(inside)) return /^\d+$/.test(name) ? inside[Number(name)] : undefined;
    const parsed = recordSchema.safeParse(inside);
    return parsed.success && Object.hasOwn(parsed.data, name) ? parsed.data[name] : undefined;
  }, value);
}
