/** Where the log of events stands: asked before rows are read, so that no change falls between the rows and the feed. */
import type { HttpContext } from "./context.ts";

export async function positionOf({ store }: Pick<HttpContext, "store">): Promise<{ latestSeq: number }> {
  const { latestSeq } = await store.events.range();
  return { latestSeq };
}
