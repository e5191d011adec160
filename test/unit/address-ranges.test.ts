/** Ranges of addresses: how they are written, what lies in them, and which lies in which. */
import { expect, test } from "vitest";
import { isAddressRange, isInRanges, isRangeWithin } from "../../hub/core/address-ranges.ts";

test.each(["10.0.0.0/8", "203.0.113.7/32", "0.0.0.0/0", "2001:db8::/32", "::1/128"])(
  "%s is a range",
  (text) => {
    expect(isAddressRange(text)).toBe(true);
  },
);

test.each([
  "10.0.0.0",
  "10/8",
  "10.0.0.0/33",
  "010.0.0.0/8",
  "::/129",
  "fe80::1%eth0/64",
  "10.0.0.0/8/8",
  "a/8",
  "",
])("%s is none", (text) => {
  expect(isAddressRange(text)).toBe(false);
});

test("an address lies in a range however the system writes it, and what is no address in none", () => {
  const ranges = ["10.0.0.0/8", "2001:db8::/32"];
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "2001:DB8::1"])
    expect([address, isInRanges(address, ranges)]).toEqual([address, true]);
  for (const address of ["11.1.2.3", "::ffff:11.1.2.3", "2001:db9::1", "", "10.1.2.3.4", "fe80::1%eth0"])
    expect([address, isInRanges(address, ranges)]).toEqual([address, false]);
});

test("a range lies within another of its kind that is as wide or wider", () => {
  const ranges = ["10.0.0.0/8", "192.168.1.0/24", "2001:db8::/32"];
  for (const range of ["10.0.0.0/8", "10.9.0.0/16", "192.168.1.7/32", "2001:db8:1::/48"])
    expect([range, isRangeWithin(range, ranges)]).toEqual([range, true]);
  for (const range of [
    "10.0.0.0/7",
    "192.168.0.0/16",
    "192.168.2.0/24",
    "2001:db8::/31",
    "::/0",
    "0.0.0.0/0",
  ])
    expect([range, isRangeWithin(range, ranges)]).toEqual([range, false]);
});
