/** Where the log of events stands: asked before rows are read, so that no change falls between the rows and the feed. */
import { z } from "zod";
import type { HttpContext } from "./context.ts";

export const latestSeqSchema = z
  .int()
  .describe("Newest `seq` when this was read: the feed after it tells what changed since");

export async function positionOf({ store }: Pick<HttpContext, "store">): Promise<{ latestSeq: number }> {
  const { latestSeq } = await store.events.range();
  return { latestSeq };
}
