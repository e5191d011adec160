import { describe, expect, test } from "vitest";
import { listParameters, shaped } from "../../bridge/http/list-parameters.ts";

const parsed = (given: Record<string, unknown>) => listParameters("WhatsApp Message", given);

describe("the shape of a list", () => {
  const row = { name: "a", status: "Read" };
  test.each([
    [{}, [row]],
    [{ as_dict: "1", distinct: "0", group_by: "", pluck: "" }, [row]],
    [{ as_dict: "None", distinct: "null" }, [row]],
    [{ as_dict: " undefined " }, [row]],
    [{ as_dict: "0" }, [["a", "Read"]]],
    [{ as_dict: false }, [["a", "Read"]]],
    [{ pluck: "status" }, ["Read"]],
    [{ pluck: "status", as_dict: 0 }, ["Read"]],
  ])("%o", (given, shape) => {
    expect(shaped([row], given)).toEqual(shape);
  });

  test("what is plucked is what is asked for", () => {
    expect(parsed({ fields: '["name"]', pluck: "`tabWhatsApp Message`.`status`" }).fields).toEqual([
      "status",
    ]);
  });
});

describe("Frappe's parameters of a list", () => {
  test("without any, the names of the first 20 are asked for", () => {
    expect(parsed({})).toEqual({
      doctype: "WhatsApp Message",
      fields: ["name"],
      filters: [],
      orFilters: [],
      // As the lists of a Frappe site are: the newest first.
      orderBy: [{ field: "creation", direction: "desc" }],
      start: 0,
      limit: 20,
    });
  });

  test.each([
    ['["name","status"]', ["name", "status"]],
    ["name,status", ["name", "status"]],
    ['["*"]', ["*"]],
    ['["`tabWhatsApp Message`.`status`"]', ["status"]],
    [["name"], ["name"]],
  ])("fields %s", (fields, expected) => {
    expect(parsed({ fields }).fields).toEqual(expected);
  });

  test.each([
    ['[["status","=","Read"]]', [["status", "=", "Read"]]],
    ['[["WhatsApp Message","status","!=","Read"]]', [["status", "!=", "Read"]]],
    ['[["WhatsApp Message","status","=","Read",false]]', [["status", "=", "Read"]]],
    ['["WhatsApp Message","status","=","Read",false]', [["status", "=", "Read"]]],
    ['["status","LIKE","Re%"]', [["status", "like", "Re%"]]],
    [
      '{"status":"Read","from_me":["!=",1]}',
      [
        ["status", "=", "Read"],
        ["from_me", "!=", 1],
      ],
    ],
    ['[["status","in",["Read","Sent"]]]', [["status", "in", ["Read", "Sent"]]]],
    ['[{"status":"Read"}]', [["status", "=", "Read"]]],
    [[["status", "Read"]], [["status", "=", "Read"]]],
    ["[]", []],
  ])("filters %s", (filters, expected) => {
    expect(parsed({ filters }).filters).toEqual(expected);
  });

  test.each([
    ["modified desc", [{ field: "modified", direction: "desc" }]],
    [
      "`tabWhatsApp Message`.`timestamp` ASC, name",
      [
        { field: "timestamp", direction: "asc" },
        { field: "name", direction: "asc" },
      ],
    ],
  ])("order_by %s", (orderBy, expected) => {
    expect(parsed({ order_by: orderBy }).orderBy).toEqual(expected);
  });

  test("a page is asked for by start and length, length 0 is everything there may be at once, from the start", () => {
    expect(parsed({ limit_start: "40", limit_page_length: "10" })).toMatchObject({ start: 40, limit: 10 });
    expect(parsed({ limit: 5 })).toMatchObject({ start: 0, limit: 5 });
    expect(parsed({ limit_start: "40", limit_page_length: "0" })).toMatchObject({ start: 0, limit: 10_000 });
    expect(parsed({ limit_page_length: "999999999" })).toMatchObject({ limit: 10_000 });
  });

  test.each([
    [{ fields: '["sum(x) as y"]' }, "fields names something that is not a field"],
    [{ fields: "[" }, "fields must be JSON"],
    [{ filters: '[["status"]]' }, "A filter must be [field, operator, value]"],
    [{ filters: '[["a;drop","=",1]]' }, "filters names something that is not a field"],
    [{ filters: "7" }, "filters must be a list or an object"],
    [{ order_by: "name;--" }, "order_by names something that is not a field"],
    [{ order_by: "name sideways" }, "order_by"],
    [{ limit_start: "-1" }, "limit_start must be a whole number"],
    [{ or_filters: "7" }, "or_filters must be a list or an object"],
    [{ filters: '[["WhatsApp Contact","status","=","Read"]]' }, 'names "WhatsApp Contact"'],
    [{ or_filters: '[["WhatsApp Contact","status","=","Read",false]]' }, 'names "WhatsApp Contact"'],
    [{ filters: '[["status","=","Read",false]]' }, 'names "status"'],
    [{ filters: '[["WhatsApp Message","status","=","Read",false,1]]' }, "A filter must be"],
    [{ fields: '["`tabWhatsApp Contact`.`status`"]' }, 'names "WhatsApp Contact"'],
    [{ order_by: "`tabWhatsApp Contact`.`modified` desc" }, 'names "WhatsApp Contact"'],
    [{ group_by: "status" }, "group_by is not supported"],
    [{ distinct: "1" }, "distinct is not supported"],
    [{ distinct: "banana" }, "distinct: use 1 or 0"],
    [{ as_dict: "banana" }, "as_dict: use 1 or 0"],
    [{ pluck: "a;b" }, "pluck names something that is not a field"],
  ])("%o is refused with a reason", (given, problem) => {
    expect(() => parsed(given)).toThrow(problem);
  });
});
