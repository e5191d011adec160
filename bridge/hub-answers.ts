/** What the hub's answers hold, checked against the contract once. Members we do not know are ignored. */
import { z } from "zod";
import { HubUnavailable } from "./errors.ts";
import type { HubPage } from "./hub-client.ts";
import type { Log } from "./log.ts";

const envelopeSchema = z.object({ success: z.literal(true), data: z.unknown() });
const failureSchema = z.object({ error: z.string(), code: z.string() });
const LONGEST_TEXT = 300;

/** `data` of a successful answer. `name` says what was asked: paths hold phone numbers. */
export function dataOf(name: string, body: Buffer): unknown {
  const envelope = envelopeSchema.safeParse(parseJson(body));
  if (envelope.success) return envelope.data.data;
  throw notUnderstood(name);
}

/** An answer that is a refusal, in the hub's own words where it is the hub that speaks. */
export function failureOf(
  name: string,
  answer: { status: number; body: Buffer; retryAfter: string | undefined },
): HubUnavailable {
  const { status, body, retryAfter } = answer;
  const said = failureSchema.safeParse(parseJson(body));
  const text = said.success ? said.data.error.slice(0, LONGEST_TEXT) : `HTTP ${status}`;
  return new HubUnavailable(`The hub refused ${name}: ${text}`, {
    status,
    code: said.success ? said.data.code : null,
    retryAfterSeconds: retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null,
  });
}

/** There was an answer: whoever asks again for what found none must not ask again for this. */
export const notUnderstood = (name: string): HubUnavailable =>
  new HubUnavailable(`The hub's answer to ${name} is not what its contract says.`, { status: 200 });

export function parsed<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  data: unknown,
): z.output<Schema> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw notUnderstood(name);
}

const pageSchema = z.looseObject({
  total: z.int(),
  latestSeq: z.int(),
  pagination: z.object({ nextCursor: z.string().nullable() }),
});

export function pageOf<Schema extends z.ZodType>(
  plural: string,
  { item, data, log }: { item: Schema; data: unknown; log: Log },
): HubPage<z.output<Schema>> {
  const { total, latestSeq, pagination, [plural]: rows } = parsed(plural, pageSchema, data);
  if (!Array.isArray(rows)) throw notUnderstood(plural);
  const items = itemsOf(plural, { item, rows, log });
  return { items, total, nextCursor: pagination.nextCursor, position: latestSeq };
}

/** One record that breaks the contract must not keep the others from the CRM: it is left out and told. */
export function itemsOf<Schema extends z.ZodType>(
  plural: string,
  { item, rows, log }: { item: Schema; rows: unknown[]; log: Log },
): z.output<Schema>[] {
  return rows.flatMap((row) => {
    const result = item.safeParse(row);
    if (result.success) return [result.data];
    const at = result.error.issues.slice(0, 3).map(({ path }) => path.join("."));
    log.warn({ list: plural, at }, "hub.record_refused");
    return [];
  });
}

/** Undefined for what is no JSON: a proxy's page, or an answer cut short. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
