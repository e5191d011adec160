import { describe, expect, test } from "vitest";
import { canonicalJid, phoneOf, resolveJid, showJid } from "../../hub/core/jid.ts";

const nothing = { group: () => false, lid: () => false, phone: () => false };

describe("what callers write becomes one canonical address", () => {
  test.each([
    ["34600111222", "34600111222@s.whatsapp.net"],
    ["+34 600 111 222", "34600111222@s.whatsapp.net"],
    ["34600111222@c.us", "34600111222@s.whatsapp.net"],
    ["34600111222@s.whatsapp.net", "34600111222@s.whatsapp.net"],
    ["34600111222:12@s.whatsapp.net", "34600111222@s.whatsapp.net"],
    ["98765:3@lid", "98765@lid"],
    ["120363041234567890@g.us", "120363041234567890@g.us"],
    ["120363041234567890@s.whatsapp.net", "120363041234567890@g.us"],
    ["+120363041234567890", "120363041234567890@g.us"],
    ["34600111222-1512345678@s.whatsapp.net", "34600111222-1512345678@g.us"],
    ["34600111222-1512345678", "34600111222-1512345678@g.us"],
    ["58412-1234567@g.us", "58412-1234567@g.us"],
    ["+58 412-1234567", "584121234567@s.whatsapp.net"],
    ["58412-1234567", "584121234567@s.whatsapp.net"],
    ["58-4121234567", "584121234567@s.whatsapp.net"],
    ["+58 (412) 123-4567", "584121234567@s.whatsapp.net"],
    ["58.412.123-4567@c.us", "584121234567@s.whatsapp.net"],
    ["status@broadcast", "status@broadcast"],
  ])("%s", (written, jid) => {
    expect(resolveJid(written, nothing)).toBe(jid);
  });

  test.each(["", "ana", "600", "34600111222@example.com", "../34600111222", "34600111222@c.us@c.us"])(
    "%j is none",
    (written) => {
      expect(resolveJid(written, nothing)).toBeNull();
    },
  );

  test("digits of a hidden id that the session knows lead to it, unless they are a known phone too", () => {
    const knowsLid = { ...nothing, lid: (jid: string) => jid === "98765432@lid" };
    expect(resolveJid("98765432@s.whatsapp.net", knowsLid)).toBe("98765432@lid");
    expect(resolveJid("98765432", { ...knowsLid, phone: () => true })).toBe("98765432@s.whatsapp.net");
    expect(resolveJid("+98 765-432", knowsLid)).toBe("98765432@s.whatsapp.net");
    expect(resolveJid("+98765432", knowsLid)).toBe("98765432@lid");
    expect(resolveJid("+98765432", { ...knowsLid, phone: () => true })).toBe("98765432@s.whatsapp.net");
  });

  test("short digits of a group that the session knows lead to it", () => {
    const knowsGroup = { ...nothing, group: (jid: string) => jid === "123456789012@g.us" };
    expect(resolveJid("123456789012@s.whatsapp.net", knowsGroup)).toBe("123456789012@g.us");
    expect(resolveJid("+123456789012", knowsGroup)).toBe("123456789012@g.us");
    expect(resolveJid("+1234-56789012", knowsGroup)).toBe("123456789012@s.whatsapp.net");
  });
});

test("addresses are shown in the session's one form, groups and hidden ids as they are", () => {
  expect(showJid("34600111222@s.whatsapp.net", "c.us")).toBe("34600111222@c.us");
  expect(showJid("34600111222@s.whatsapp.net", "s.whatsapp.net")).toBe("34600111222@s.whatsapp.net");
  expect(showJid("98765@lid", "c.us")).toBe("98765@lid");
});

test("only a phone address has a phone number", () => {
  expect(phoneOf(canonicalJid("34600111222:4@c.us"))).toBe("+34600111222");
  expect(phoneOf("98765@lid")).toBeNull();
});
