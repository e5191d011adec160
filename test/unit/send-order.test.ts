/** Which recipients are refused before the hub is asked: none that the hub would take. */
import { expect, test } from "vitest";
import { mayBeRecipient } from "../../hub/contract/index.ts";
import { resolveJid } from "../../hub/core/jid.ts";

const nothingKnown = { group: () => false, lid: () => false, phone: () => false };

test.each([
  ...["34600111222", "+34 600 111 222", "+34 (600) 111-222", "34600111222@c.us", "34600111222:7@c.us"],
  ...["34600111222@s.whatsapp.net", "120363001234567890@g.us", "34600111222-1400000000@g.us", "12345"],
  ...["34600111222-1400000000", "99887766@lid", "status@broadcast", "1203630@newsletter", " 34600111222 "],
])("%s may be one", (written) => {
  expect(resolveJid(written, nothingKnown)).not.toBeNull();
  expect(mayBeRecipient(written)).toBe(true);
});

test("a short number may be one of the caller's own country", () => {
  expect(mayBeRecipient("6001")).toBe(true);
});

test.each(["abc", "", "12", "ana@example.com", "+", "600 abc 222", "@c.us", "1".repeat(141)])(
  "%s is none",
  (written) => {
    expect(mayBeRecipient(written)).toBe(false);
  },
);
