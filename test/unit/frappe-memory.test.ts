/** What the Frappe adapter remembers by key stays small, whatever is put under one. */
import { expect, test } from "vitest";
import { createNameLists } from "../../bridge/adapters/frappe/memory.ts";

const name = (n: number): string => `WAMSG-${n}`;

test("of a key the newest 200 names are kept, and it says that there were more", () => {
  const lists = createNameLists(10);
  for (let n = 0; n < 200; n += 1) lists.add("ana", name(n));
  lists.add("ana", name(3));
  expect([lists.of("ana").length, lists.isWhole("ana")]).toEqual([200, true]);
  lists.add("ana", name(200));
  expect(lists.of("ana")).toEqual(Array.from({ length: 200 }, (_, n) => name(n + 1)));
  expect([lists.isWhole("ana"), lists.isWhole("eva")]).toEqual([false, true]);
});

test("a key goes with its last name, and one that is added meanwhile stays", () => {
  const lists = createNameLists(10);
  for (let n = 0; n < 201; n += 1) lists.add("ana", name(n));
  const done = lists.of("ana");
  lists.add("eva", name(0));
  lists.add("eva", name(1));
  lists.remove("ana", done);
  lists.remove("eva", [name(0)]);
  expect([lists.of("ana"), lists.isWhole("ana"), lists.of("eva")]).toEqual([[], true, [name(1)]]);
});
