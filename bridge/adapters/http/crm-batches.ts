/**
 * Sends records in batches of at most a hundred and finds each one's result by its key. A batch refused as a whole is
 * halved until the record that is to blame stands alone.
 */
import { z } from "zod";
import type { WriteResult } from "../../adapter.ts";
import { CrmUnavailable } from "../../errors.ts";
import { CrmRefusal, NotCovered } from "./crm-answer.ts";

const LARGEST_BATCH = 100;
const NO_RESULT = "the CRM did not say what became of this record";

/** A record as it is sent, and the key its result comes back under. */
export interface Keyed {
  key: string;
  item: object;
}

const resultSchema = z.object({
  key: z.string(),
  outcome: z.enum(["created", "updated", "unchanged", "missing", "rejected"]),
  id: z.union([z.string(), z.number()]).nullish(),
  error: z.string().nullish(),
});
const answerSchema = z.object({ results: z.array(z.unknown()) });

export async function sendBatches(
  records: Keyed[],
  send: (items: object[]) => Promise<unknown>,
): Promise<WriteResult[]> {
  const results: WriteResult[] = [];
  for (const batch of inBatches(records)) results.push(...(await sendBatch(batch, send)));
  return results;
}

async function sendBatch(
  batch: Keyed[],
  send: (items: object[]) => Promise<unknown>,
): Promise<WriteResult[]> {
  try {
    return resultsOf(batch, await send(batch.map(({ item }) => item)));
  } catch (error) {
    if (error instanceof NotCovered) return batch.map(() => ({ outcome: "unchanged" }));
    if (!(error instanceof CrmRefusal)) throw error;
    if (batch.length === 1) return [{ outcome: "rejected", error: error.message }];
    const middle = Math.ceil(batch.length / 2);
    const first = await sendBatch(batch.slice(0, middle), send);
    return [...first, ...(await sendBatch(batch.slice(middle), send))];
  }
}

function resultsOf(batch: Keyed[], answer: unknown): WriteResult[] {
  const { results } = answerSchema.safeParse(answer).data ?? { results: [] };
  const byKey = new Map<string, z.infer<typeof resultSchema>>();
  for (const result of results) {
    const read = resultSchema.safeParse(result).data;
    if (read !== undefined) byKey.set(read.key, read);
  }
  const found = batch.map(({ key }) => byKey.get(key));
  // Silence about everything is a broken CRM, not so many bad records.
  if (batch.length > 0 && found.every((result) => result === undefined)) throw new CrmUnavailable(NO_RESULT);
  return found.map((result): WriteResult => {
    if (result === undefined) return { outcome: "rejected", error: NO_RESULT };
    return {
      outcome: result.outcome,
      ...(result.id === undefined || result.id === null ? {} : { id: String(result.id) }),
      ...(result.error === undefined || result.error === null ? {} : { error: result.error }),
    };
  });
}

/** In the given order; a key comes once in a batch, or its result would not be its own. */
function inBatches(records: Keyed[]): Keyed[][] {
  const batches: Keyed[][] = [];
  let batch: Keyed[] = [];
  const keys = new Set<string>();
  for (const record of records) {
    if (batch.length === LARGEST_BATCH || keys.has(record.key)) {
      batches.push(batch);
      batch = [];
      keys.clear();
    }
    batch.push(record);
    keys.add(record.key);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
