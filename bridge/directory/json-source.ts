/** Any directory that answers pages of JSON: where its pages are and where its fields stand is configuration. */
import { z } from "zod";
import { count } from "./count.ts";
import type { JsonSourceConfig } from "./json-source-config.ts";
import { readClients, type RawClient } from "./read-clients.ts";
import { readJson } from "./read-json.ts";
import { DirectoryPageFailed, type DirectoryPage, type DirectorySource } from "./source.ts";

const recordSchema = z.record(z.string(), z.unknown());

export function createJsonSource(config: JsonSourceConfig): DirectorySource {
  const sizes = createSizes();

  const answerOf = async (n: number, signal: AbortSignal): Promise<Answer> => {
    const url = config.url.replaceAll("{page}", String(n)).replaceAll("{per_page}", String(config.perPage));
    const { headers, timeoutMs } = config;
    const answer = await readJson({ url: new URL(url), headers, timeoutMs, signal });
    const records = recordsOf(answer, config);
    sizes.saw(n, records.length);
    return { n, answer, records };
  };

  /**
   * Many directories have a size of their own, or a bound, whatever they are asked for: page 1 shows it, or a later one where
   * some of page 1 are kept back.
   */
  const sizeOf = async ({ n, answer, records }: Answer, signal: AbortSignal): Promise<number> => {
    if (config.pageSize !== undefined) return countAt(answer, config.pageSize);
    if (!sizes.isBegun() && records.length !== config.perPage) {
      await answerOf(1, signal);
      sizes.saw(n, records.length);
    }
    return sizes.longest() || config.perPage;
  };

  return {
    name: config.name,
    codePrefix: config.codePrefix,
    page: async (n, signal) => {
      const got = await answerOf(n, signal);
      return pageOf(got, config, await sizeOf(got, signal));
    },
  };
}

/** How long pages are, from what came on them since page 1 was read. */
function createSizes() {
  let longest = 0;
  let isBegun = false;
  let hasGrown = false;
  return {
    saw: (n: number, count: number): void => {
      // After a page that was longer than all before, pages are counted anew: page 1 may then be read again, to the same end.
      if (n === 1 && !hasGrown) longest = 0;
      isBegun ||= n === 1;
      hasGrown = longest > 0 && count > longest;
      longest = Math.max(longest, count);
    },
    isBegun: () => isBegun,
    longest: () => longest,
  };
}

interface Answer {
  n: number;
  answer: unknown;
  records: unknown[];
}

function recordsOf(answer: unknown, { success, list }: JsonSourceConfig): unknown[] {
  if (success !== undefined && at(answer, success.path) !== success.equals)
    throw new DirectoryPageFailed(`${success.path} is not ${success.equals}`);
  const records = at(answer, list);
  if (!Array.isArray(records)) throw new DirectoryPageFailed(`${list} is not a list`);
  return records;
}

function pageOf({ answer, records }: Answer, config: JsonSourceConfig, perPage: number): DirectoryPage {
  const totalRecords = countAt(answer, config.totalRecords);
  if (perPage === 0) throw new DirectoryPageFailed("the page size is 0");
  return {
    ...readClients(records.map((record) => rawClient(record, config.fields))),
    totalRecords,
    totalPages:
      config.totalPages === undefined
        ? Math.ceil(totalRecords / perPage)
        : countAt(answer, config.totalPages),
    perPage,
  };
}

function countAt(answer: unknown, where: string): number {
  const parsed = count.safeParse(at(answer, where));
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
    details: field(fields.details),
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
