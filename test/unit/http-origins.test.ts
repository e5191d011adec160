/** Where calls come from, with and without proxies that are trusted. */
import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { createOrigins } from "../../hub/http/origins.ts";

/** A request as far as its origin is concerned. */
const from = (remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage; // nothing else of it is looked at

const forwarded = (text: string) => ({ "x-forwarded-for": text });
const EVERYWHERE = ["0.0.0.0/0", "::/0"];

describe("without a trusted proxy", () => {
  const { addressOf, isFrom, isLocal } = createOrigins([]);

  test("the other end of the connection is the caller, whatever headers say", () => {
    expect(addressOf(from("203.0.113.7", forwarded("198.51.100.1")))).toBe("203.0.113.7");
    expect(isFrom(from("203.0.113.7"), ["203.0.113.0/24"])).toBe(true);
    for (const header of ["forwarded", "x-forwarded-for", "x-real-ip", "via"]) {
      const request = from("127.0.0.1", { [header]: "127.0.0.1" });
      expect([header, isLocal(request), isFrom(request, EVERYWHERE)]).toEqual([header, false, false]);
    }
    for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) expect(isLocal(from(address))).toBe(true);
    expect(isLocal(from("10.0.0.1"))).toBe(false);
  });
});

describe("behind a trusted proxy", () => {
  const { addressOf, isFrom, isLocal } = createOrigins(["127.0.0.1/32", "::1/128", "10.9.0.0/16"]);

  test.each([
    ["one proxy", "203.0.113.7", "203.0.113.7"],
    ["a chain of them", "203.0.113.7, 10.9.0.1, 10.9.0.2", "203.0.113.7"],
    ["what the caller wrote himself in front", "127.0.0.1, 198.51.100.1, 203.0.113.7", "203.0.113.7"],
    ["a port behind it", "203.0.113.7:51234", "203.0.113.7"],
    ["IPv6 in brackets", "[2001:db8::7]:51234", "2001:db8::7"],
  ])("%s: the last hop that is no proxy is the caller", (_what, text, address) => {
    const request = from("::ffff:127.0.0.1", forwarded(text));
    expect(addressOf(request)).toBe(address);
    expect(isFrom(request, [`${address}/32`])).toBe(true);
    expect(isLocal(request)).toBe(false);
  });

  test.each([
    ["no header, as with a bare proxy_pass", {}, "127.0.0.1"],
    ["only proxies", forwarded("10.9.0.1"), "10.9.0.1"],
    ["something that is no address", forwarded("203.0.113.7, unknown"), "127.0.0.1"],
    ["something that is no address, behind a proxy", forwarded("203.0.113.7, _x, 10.9.0.4"), "10.9.0.4"],
    ["nothing", forwarded(""), "127.0.0.1"],
  ])("%s: nobody is certain, and nobody is local", (_what, headers, address) => {
    const request = from("127.0.0.1", headers);
    expect(addressOf(request)).toBe(address);
    expect(isFrom(request, EVERYWHERE)).toBe(false);
    expect(isLocal(request)).toBe(false);
  });

  test("who comes past the proxy is believed nothing", () => {
    const request = from("203.0.113.9", forwarded("198.51.100.1"));
    expect(addressOf(request)).toBe("203.0.113.9");
    expect(isFrom(request, EVERYWHERE)).toBe(false);
    expect(isFrom(from("203.0.113.9"), ["203.0.113.9/32"])).toBe(true);
    expect(isLocal(from("127.0.0.2"))).toBe(true);
  });
});
