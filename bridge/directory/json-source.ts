/** Any directory that answers pages of JSON: where its pages are and where its fields stand is configuration. */
import { z } from "zod";
import type { JsonSourceConfig } from "./json-source-config.ts";
import { readClients, type RawClient } from "./read-clients.ts";
import { readJson } from "./read-json.ts";
import { DirectoryPageFailed, type DirectoryPage, type DirectorySource } from "./source.ts";

const recordSchema = z.record(z.string(), z.unknown());
const count = z.coerce.number().int().min(0);

export function createJsonSource(config: JsonSourceConfig): DirectorySource {
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
