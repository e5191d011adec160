/** Reading a list of the hub page by page: never beyond a limit, and one page ahead of whoever writes them. */
import { HubUnavailable } from "../errors.ts";
import type { HubPage } from "../hub-client.ts";
import { pageSize } from "./budget.ts";

export interface ReadPage<T> extends HubPage<T> {
  /** Records read so far, these included. */
  done: number;
  isLast: boolean;
}

interface Reading<T> {
  read: (page: { limit: number; cursor: string | undefined }) => Promise<HubPage<T>>;
  limit: number;
  /** Where to go on. */
  from?: { cursor: string | null; done: number };
}

const FROM_THE_START = { cursor: null, done: 0 };

export async function* readPages<T>({
  read,
  limit,
  from = FROM_THE_START,
}: Reading<T>): AsyncGenerator<ReadPage<T>> {
  let { cursor, done } = from;
  for (;;) {
    const size = pageSize(limit, done);
    if (size === 0) return;
    let page: HubPage<T>;
    try {
      page = await read({ limit: size, cursor: cursor ?? undefined });
    } catch (cause) {
      if (cursor === null || cursor !== from.cursor || !isRefusedCursor(cause)) throw cause;
      // The place is from before a restore or an update of the hub: the list is read again, nothing is written twice.
      ({ cursor, done } = FROM_THE_START);
      continue;
    }
    done += page.items.length;
    const isLast = page.nextCursor === null || done >= limit;
    yield { ...page, done, isLast };
    if (isLast) return;
    cursor = page.nextCursor;
  }
}

const isRefusedCursor = (cause: unknown): boolean =>
  cause instanceof HubUnavailable && cause.code === "VALIDATION_ERROR";

/** Asks for the next value while the one before is being worked on. */
export async function* oneAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = source.next();
  try {
    for (;;) {
      const result = await next;
      if (result.done === true) return;
      next = source.next();
      // It is awaited above; until then nobody else may take its failure for unhandled.
      next.catch(() => undefined);
      yield result.value;
    }
  } finally {
    await next.catch(() => undefined);
    await source.return(undefined);
  }
}
