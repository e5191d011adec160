/** Pages out of range are brought into range. */
import { expect, test } from "vitest";
import { z } from "zod";
import { flag, moment, paging } from "../../hub/http/paging.ts";

const read = (query: Record<string, string>) => z.object(paging(20)).parse(query);

test("nothing asked means the first page of the default size", () =>
  expect(read({})).toEqual({ page: 1, limit: 20, cursor: undefined }));

test.each([
  ["0", 1, 1],
  ["-5", 1, 1],
  ["abc", 1, 20],
  ["1000", 1000, 1000],
  ["1001", 1001, 1000],
  ["1e9", 1_000_000, 1000],
  ["Infinity", 1_000_000, 1000],
  ["2.9", 2, 2],
])("%s is clamped to page %i and limit %i", (text, page, limit) =>
  expect(read({ page: text, limit: text })).toMatchObject({ page, limit }),
);

test("flags and moments read what people write", () => {
  const query = z.object({ archived: flag, since: moment });
  expect(query.parse({ archived: "TRUE", since: "1762518118" })).toEqual({
    archived: true,
    since: 1_762_518_118_000,
  });
  expect(query.parse({ archived: "0", since: "2025-11-07T12:21:58.000Z" })).toEqual({
    archived: false,
    since: 1_762_518_118_000,
  });
  expect(query.safeParse({ archived: "maybe" }).success).toBe(false);
  expect(query.safeParse({ since: "yesterday" }).success).toBe(false);
});
