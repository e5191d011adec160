import { expect, test } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import { oneAhead, readPages } from "../../bridge/sync/read-pages.ts";

/** A list of numbers whose cursor is the number to begin with. */
const numbers =
  (total: number, asked: number[] = []) =>
  ({ limit, cursor }: { limit: number; cursor: string | undefined }) => {
    asked.push(limit);
    if (cursor === "bad")
      return Promise.reject(new HubUnavailable("no", { code: "VALIDATION_ERROR", status: 400 }));
    const start = Number(cursor ?? 0);
    const items = Array.from({ length: Math.min(limit, total - start) }, (_, n) => start + n);
    const end = start + items.length;
    return Promise.resolve({ items, total, nextCursor: end < total ? String(end) : null, position: 7 });
  };

async function all<T>(source: AsyncGenerator<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

test("pages end at the limit, or at the end of the list, and say which one is the last", async () => {
  const asked: number[] = [];
  const limited = await all(readPages({ read: numbers(1000, asked), limit: 250 }));
  expect(asked).toEqual([100, 100, 50]);
  expect(limited.map(({ done, isLast }) => [done, isLast])).toEqual([
    [100, false],
    [200, false],
    [250, true],
  ]);
  expect((await all(readPages({ read: numbers(10), limit: 450 }))).at(-1)).toMatchObject({
    done: 10,
    isLast: true,
  });
  expect(await all(readPages({ read: numbers(10), limit: 0 }))).toEqual([]);
  const rest = await all(readPages({ read: numbers(1000), limit: 450, from: { cursor: "400", done: 400 } }));
  expect(rest.map(({ items, done }) => [items[0], items.length, done])).toEqual([[400, 50, 450]]);
});

test("a place the hub does not know any more begins the list again", async () => {
  const pages = await all(readPages({ read: numbers(250), limit: 450, from: { cursor: "bad", done: 200 } }));
  expect(pages.map(({ done }) => done)).toEqual([100, 200, 250]);
});

test("one page is read while the one before is worked on; leaving early leaves nothing behind", async () => {
  const read: number[] = [];
  let isClosed = false;
  async function* source(): AsyncGenerator<number> {
    try {
      for (let n = 1; ; n += 1) {
        read.push(n);
        yield await Promise.resolve(n);
      }
    } finally {
      isClosed = true;
    }
  }
  for await (const n of oneAhead(source())) {
    await new Promise((resolve) => setImmediate(resolve));
    expect(read.at(-1)).toBe(n + 1);
    if (n === 3) break;
  }
  expect([read.length, isClosed]).toEqual([4, true]);
});

test("a page that cannot be read fails after the pages before it, whoever is slow", async () => {
  async function* source(): AsyncGenerator<number> {
    yield await Promise.resolve(1);
    throw new Error("broken");
  }
  const seen: number[] = [];
  const work = (async () => {
    for await (const n of oneAhead(source())) {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(n);
    }
  })();
  await expect(work).rejects.toThrow("broken");
  expect(seen).toEqual([1]);
});
