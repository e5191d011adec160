import { describe, expect, test } from "vitest";
import { resolveRecipient } from "../../hub/inbox/recipient.ts";
import type { Numbering } from "../../hub/inbox/send-request.ts";

const inboxThatKnows = (...jids: string[]) => ({
  knows: (_session: string, jid: string) => Promise.resolve(jids.includes(jid)),
  addresses: (_session: string, jid: string) =>
    Promise.resolve({ phone: jid === "77@lid" ? "34600111222@s.whatsapp.net" : null, lid: null }),
});

const resolved = (
  written: string,
  numbering: Numbering = { defaultCountry: "34", nationalDigits: 9 },
  knows: string[] = [],
) => resolveRecipient({ sessionId: "s1", written, numbering, inbox: inboxThatKnows(...knows) });

describe("who a caller means", () => {
  test.each([
    ["34600111222", "34600111222@s.whatsapp.net"],
    ["+34 600 111 222", "34600111222@s.whatsapp.net"],
    ["34600111222@c.us", "34600111222@s.whatsapp.net"],
    ["34600111222:12@s.whatsapp.net", "34600111222@s.whatsapp.net"],
    ["+58 412-1234567", "584121234567@s.whatsapp.net"],
    ["0600-111222", "0600111222@s.whatsapp.net"],
    ["120363000000000000", "120363000000000000@g.us"],
    ["34600111222-1500000000", "34600111222-1500000000@g.us"],
    ["34600111222-1500000000@s.whatsapp.net", "34600111222-1500000000@g.us"],
  ])("%s is %s", async (written, jid) => {
    expect(await resolved(written)).toBe(jid);
  });

  test("a number of the key's national length gets its country", async () => {
    expect(await resolved("600 111 222")).toBe("34600111222@s.whatsapp.net");
  });

  test("an international number of the national length is left alone when it is written with a plus", async () => {
    expect(await resolved("+600111222")).toBe("600111222@s.whatsapp.net");
  });

  test("without a country of the key every number is international", async () => {
    expect(await resolved("600111222", { defaultCountry: "34", nationalDigits: 10 })).toBe(
      "600111222@s.whatsapp.net",
    );
  });

  test("a hidden id whose phone is known is that phone's chat", async () => {
    expect(await resolved("77@lid")).toBe("34600111222@s.whatsapp.net");
    expect(await resolved("88@lid")).toBe("88@lid");
  });

  test("a group known by its digits is found however its number looks", async () => {
    const numbering = { defaultCountry: null, nationalDigits: null };
    expect(await resolved("1234567890", numbering, ["1234567890@g.us"])).toBe("1234567890@g.us");
  });

  test.each([
    "",
    "+34600111222-1512345678",
    "120363-000000000000",
    "hello",
    "12",
    "../etc/passwd",
    "34600111222@evil.example",
  ])("%j is refused, with the field", async (written) => {
    await expect(resolved(written)).rejects.toMatchObject({
      code: "VALIDATION_ERROR",
      details: { fields: [{ path: "to" }] },
    });
  });
});
