/** Wispro's cloud API as a directory. It reports errors inside HTTP 200, and takes its token raw, without `Bearer`. */
import { z } from "zod";
import { count } from "./count.ts";
import { readClients, type RawClient } from "./read-clients.ts";
import { readJson } from "./read-json.ts";
import { DirectoryPageFailed, DirectoryRefused, type DirectoryPage, type DirectorySource } from "./source.ts";

export interface WisproConfig {
  /** Where `/api/v1/clients` is. */
  url: string;
  token: string;
  perPage?: number;
  timeoutMs?: number;
}

const answerSchema = z.object({ status: z.coerce.number().int() });
const failureSchema = z.object({ message: z.string().nullish() });

const pageSchema = z.object({
  meta: z.object({
    pagination: z.object({
      total_records: count,
      total_pages: count,
      per_page: count.pipe(z.number().min(1)),
      current_page: count,
    }),
  }),
  data: z.array(z.unknown()),
});

const recordSchema = z.record(z.string(), z.unknown()).catch({});

export function createWisproSource({
  url,
  token,
  perPage = 100,
  timeoutMs = 30_000,
}: WisproConfig): DirectorySource {
  const clientsUrl = new URL(`${url.replace(/\/+$/, "")}/api/v1/clients`);
  return {
    name: "wispro",
    codePrefix: "WIS",
    page: async (n, signal) => {
      const pageUrl = new URL(clientsUrl);
      pageUrl.search = new URLSearchParams({ page: String(n), per_page: String(perPage) }).toString();
      const answer = await readJson({ url: pageUrl, headers: { authorization: token }, timeoutMs, signal });
      refuseFailure(answer, token);
      return pageOf(answer, n);
    },
  };
}

/** Without this a revoked token would "synchronise" nothing, with success. */
function refuseFailure(answer: unknown, token: string): void {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) throw new DirectoryPageFailed("the answer has no status");
  const { status } = parsed.data;
  if (status === 401) throw new DirectoryRefused("The directory answered status 401: it refuses the token.");
  if (status === 200) return;
  const message = failureSchema.safeParse(answer).data?.message ?? null;
  throw new DirectoryPageFailed(`status ${status} inside HTTP 200`, {
    said: message === null ? null : message.replaceAll(token, "…").slice(0, 200),
  });
}

function pageOf(answer: unknown, asked: number): DirectoryPage {
  const parsed = pageSchema.safeParse(answer);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.join(".")).join(", ");
    throw new DirectoryPageFailed(`the answer is no page of clients (see: ${fields})`);
  }
  const { data, meta } = parsed.data;
  const { total_records, total_pages, per_page, current_page } = meta.pagination;
  // A directory that ignores the number would give its first page again and again, with success.
  if (current_page !== asked) throw new DirectoryPageFailed(`page ${current_page} came for page ${asked}`);
  return {
    ...readClients(data.map(rawClient)),
    totalPages: total_pages,
    totalRecords: total_records,
    perPage: per_page,
  };
}

function rawClient(value: unknown): RawClient {
  const record = recordSchema.parse(value);
  return {
    externalId: record["id"],
    name: record["name"],
    email: record["email"],
    phone: record["phone_mobile"],
    address: record["address"],
    zone: record["zone_name"],
    nationalId: record["national_identification_number"],
    code: record["custom_id"],
    details: record["details"],
  };
}
