/** JSON is judged before it is parsed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { faultOfJson } from "../../hub/http/json-shape.ts";

const limits = { depth: 32, members: 100 };
const fault = (text: string) => faultOfJson(text, limits);

describe("the shape of JSON", () => {
  test("what JSON.stringify writes of ordinary objects has no fault", () => {
    const seed = Date.now();
    const value = fc.object({ maxDepth: 5, maxKeys: 6, withNullPrototype: false });
    fc.assert(
      fc.property(
        value,
        (object) => faultOfJson(JSON.stringify(object), { depth: 32, members: 100_000 }) === null,
      ),
      { seed, verbose: true },
    );
  });

  test("depth counts objects and arrays alike", () => {
    expect(fault("[".repeat(32) + "]".repeat(32))).toBeNull();
    expect(fault("[".repeat(33) + "]".repeat(33))).toBe("is nested too deep");
    expect(fault('{"a":'.repeat(40) + "1" + "}".repeat(40))).toBe("is nested too deep");
  });

  test("a hundred thousand brackets are refused at once", () => {
    const bomb = "[".repeat(100_000);
    const start = performance.now();
    expect(fault(bomb)).toBe("is nested too deep");
    expect(performance.now() - start).toBeLessThan(50);
  });

  test("a member named twice is found, also when written differently", () => {
    expect(fault('{"to":"1","to":"2"}')).toBe("names a member twice");
    expect(fault('{"to":"1","\\u0074o":"2"}')).toBe("names a member twice");
    expect(fault('{"a":{"to":1},"b":{"to":2}}')).toBeNull();
  });

  test("values are no names, whatever they contain", () => {
    expect(fault('["a","a","a"]')).toBeNull();
    expect(fault('{"a":"{\\"b\\":1,\\"b\\":2}"}')).toBeNull();
    expect(fault('{"a":"x\\\\","b":"\\""}')).toBeNull();
  });

  test("too many members are refused wherever they stand", () => {
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, 1])));
    expect(fault(many)).toBe("has too many members");
    expect(fault(`[${many}]`)).toBe("has too many members");
  });

  test("a string without an end is no JSON", () => expect(fault('{"a":"b')).toBe("is not valid JSON"));
});
