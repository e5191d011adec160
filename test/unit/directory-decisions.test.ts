import { describe, expect, test } from "vitest";
import fc from "fast-check";
import type { ClientCandidate, DirectoryClient } from "../../bridge/adapter.ts";
import { lastAt, nextAt } from "../../bridge/directory/daily.ts";
import { decideClient } from "../../bridge/directory/decide-client.ts";
import { normalNationalId } from "../../bridge/national-id.ts";
import { normalPhone } from "../../bridge/directory/phone.ts";

describe("national ids", () => {
  test.each([
    ["V-12345678", "12345678"],
    ["v-12.345.678", "12345678"],
    [" V - 12 345 678 ", "12345678"],
    ["E-84.000.111", "84000111"],
    ["J-30123456-7", "30123456-7"],
    ["G-20000000-1", "20000000-1"],
    ["V\u201312345678", "12345678"],
    ["12345678", "12345678"],
    ["E123456", "E123456"],
    ["P-12345", "P-12345"],
    ["00123", "00123"],
  ])("%j is %j", (written, form) => {
    expect(normalNationalId(written)).toBe(form);
  });

  test.each([null, "", "   ", "V-", "0", "V-00.000.000", "N/A", "-"])("%j names nobody", (written) => {
    expect(normalNationalId(written)).toBeNull();
  });

  test("a normal form is its own normal form, and part of an id is never enough", () => {
    const seed = Date.now();
    const digits = fc.stringMatching(/^[1-9]\d{5,9}$/);
    fc.assert(
      fc.property(digits, fc.constantFrom("V-", "E-", "J-", "G-", ""), (number, prefix) => {
        const dotted = number.replace(/(\d)(?=(\d{3})+$)/g, "$1.");
        expect(normalNationalId(prefix + dotted)).toBe(number);
        expect(normalNationalId(number)).toBe(number);
        expect(normalNationalId(`${prefix}${number}1`)).not.toBe(number);
      }),
      { seed, verbose: true },
    );
  });
});

describe("phone numbers", () => {
  test.each([
    ["0414-1234567", "+584141234567"],
    ["(0414) 123.45.67", "+584141234567"],
    ["4141234567", "+584141234567"],
    ["+58 414 1234567", "+584141234567"],
    ["+58 (0)414 1234567", "+584141234567"],
    ["+58 0414 1234567", "+584141234567"],
    ["0058 414 1234567", "+584141234567"],
    ["584141234567", "+584141234567"],
    ["+34 600 111 222", "+34600111222"],
    ["0414-1234567 / 0212-5551234", "+584141234567"],
    ["no number, 0414-1234567", "+584141234567"],
  ])("%j is %j", (written, number) => {
    expect(normalPhone(written, "58")).toBe(number);
  });

  test.each([
    ...[null, "", "none", "12", "+1234567890123456", "0414-ABC"],
    ...["0000000000", "00000000000", "0000-0000000", "000000000", "+0414 1234567", "+00 58 414 1234567"],
    ...["1234567", "414123456", "0414-12345678", "+58 414 123456"],
  ])("%j is no number", (written) => {
    expect(normalPhone(written, "58")).toBeNull();
  });

  test.each([
    ["55", "(11) 98765-4321", "+5511987654321"],
    ["55", "0 11 98765-4321", "+5511987654321"],
    ["55", "11 3456-7890", "+551134567890"],
    ["55", "(55) 98765-4321", "+5555987654321"],
    ["55", "5511987654321", "+5511987654321"],
    ["55", "98765-4321", null],
    ["86", "138 1234 5678", "+8613812345678"],
    ["49", "0151 12345678", "+4915112345678"],
    ["49", "15112345678", "+4915112345678"],
    ["54", "11 1234-5678", "+541112345678"],
    ["54", "9 11 1234-5678", "+5491112345678"],
    ["54", "011 15 1234-5678", null],
    ["52", "55 1234 5678", "+525512345678"],
    ["52", "1 55 1234 5678", "+5215512345678"],
    ["51", "987 654 321", "+51987654321"],
    ["51", "51 1 234 5678", "+5112345678"],
    ["34", "600 111 222", "+34600111222"],
    ["34", "34 600 111 222", "+34600111222"],
    ["1", "(212) 555-0100", "+12125550100"],
    ["1", "1 212 555 0100", "+12125550100"],
    ["592", "600-1234", "+5926001234"],
  ])("in country %s %j is %j", (country, written, number) => {
    expect(normalPhone(written, country)).toBe(number);
  });
});

const aClient = (change: Partial<DirectoryClient> = {}): DirectoryClient => ({
  externalId: "77",
  name: "Ana",
  email: "ana@example.com",
  phone: "0414-1234567",
  address: "Street 1",
  zone: "North",
  nationalId: "V-12.345.678",
  code: "C-77",
  details: "fibre",
  ...change,
});

const RULES = { codePrefix: "WIS", country: "58" };
const decide = (
  client: DirectoryClient,
  candidates: Omit<ClientCandidate, "externalId">[],
  externalId?: string,
) =>
  decideClient(
    {
      client,
      nationalId: normalNationalId(client.nationalId),
      candidates: candidates.map((candidate) => ({ ...candidate, externalId: externalId ?? null })),
    },
    RULES,
  );

describe("what becomes of a client", () => {
  test("one whom nobody knows is created with every field", () => {
    expect(decide(aClient(), [])).toEqual({
      action: "create",
      client: {
        externalId: "77",
        code: "C-77",
        name: "Ana",
        email: "ana@example.com",
        phone: "+584141234567",
        address: "Street 1",
        zone: "North",
        nationalId: "12345678",
        details: "fibre",
      },
    });
  });

  test("code and e-mail are made up where the directory has none", () => {
    expect(decide(aClient({ code: null, email: null }), [])).toMatchObject({
      client: { code: "WIS-77", email: "77@sincronizado.local" },
    });
    expect(decide(aClient({ email: "no tiene" }), [])).toMatchObject({
      client: { email: "77@sincronizado.local" },
    });
  });

  test("a known one gets the white list and nothing else", () => {
    expect(decide(aClient(), [{ id: "c1", matchedBy: "nationalId" }])).toEqual({
      action: "update",
      id: "c1",
      changes: {
        externalId: "77",
        name: "Ana",
        email: "ana@example.com",
        phone: "+584141234567",
        address: "Street 1",
        zone: "North",
      },
    });
  });

  test("what the directory does not say is left as it is", () => {
    const silent = aClient({ email: null, phone: "none", address: null, zone: null });
    expect(decide(silent, [{ id: "c1", matchedBy: "externalId" }])).toEqual({
      action: "update",
      id: "c1",
      changes: { externalId: "77", name: "Ana" },
    });
  });

  test("one without a national id is skipped, unless its external id is known", () => {
    const nobody = aClient({ nationalId: "N/A" });
    expect(decide(nobody, [])).toEqual({ action: "skip" });
    expect(decide(nobody, [{ id: "c1", matchedBy: "externalId" }])).toMatchObject({ action: "update" });
  });

  test("one whom another record of the directory has already is left to that record", () => {
    const owned = [{ id: "c1", matchedBy: "nationalId" as const }];
    expect(decide(aClient(), owned, "12")).toEqual({
      action: "refuse",
      error: "the client with this national id belongs to another record of the directory",
    });
    expect(decide(aClient(), owned, "77")).toMatchObject({ action: "update", id: "c1" });
    expect(decide(aClient(), [{ id: "c1", matchedBy: "externalId" }], "77")).toMatchObject({
      action: "update",
    });
  });

  test("where two could be meant, nobody decides", () => {
    const two = decide(aClient(), [
      { id: "c1", matchedBy: "nationalId" },
      { id: "c2", matchedBy: "nationalId" },
    ]);
    expect(two).toEqual({ action: "refuse", error: "2 clients of the CRM could be this one" });
  });
});

test("the last daily hour is today's once it has come, else yesterday's", () => {
  expect(lastAt(3, new Date(2026, 0, 31, 3))).toEqual(new Date(2026, 0, 31, 3));
  expect(lastAt(3, new Date(2026, 1, 1, 2, 59))).toEqual(new Date(2026, 0, 31, 3));
});

test("the daily hour is today's while it is to come, else tomorrow's", () => {
  expect(nextAt(3, new Date(2026, 0, 31, 2, 59))).toEqual(new Date(2026, 0, 31, 3));
  expect(nextAt(3, new Date(2026, 0, 31, 3))).toEqual(new Date(2026, 1, 1, 3));
});
