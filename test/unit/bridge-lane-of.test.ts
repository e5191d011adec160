/** One lane for one recipient: the bridge reads what is written as the hub does. */
import { expect, test } from "vitest";
import { laneOf } from "../../bridge/outgoing/lane-of.ts";
import { resolveJid } from "../../hub/core/jid.ts";

const nothingKnown = { group: () => false, lid: () => false, phone: () => false };

const SPELLINGS = [
  ...["34600111222", "+34 600 111 222", "+34 (600) 111-222", "34600111222@c.us", "34600111222:7@c.us"],
  ...["34600111222@s.whatsapp.net", "34600111222:7", " 34600111222 ", "34-600111222@c.us"],
  ...["120363041234567890", "+120363041234567890", "120363041234567890@g.us", "120363 041234567890@c.us"],
  ...["34600111222-1512345678", "34600111222-1512345678@g.us", "34600111222-1512345678@c.us"],
  ...["58412-1234567", "584121234567", "58412-1234567@g.us", "98765432@lid", "98765432:3@lid", "98765432"],
];

test("two spellings share a lane exactly where the hub takes them for one recipient", () => {
  const lane = (to: string): string => laneOf({ sessionId: "s1", to });
  for (const one of SPELLINGS)
    for (const other of SPELLINGS)
      expect([one, other, lane(one) === lane(other)]).toEqual([
        one,
        other,
        resolveJid(one, nothingKnown) === resolveJid(other, nothingKnown),
      ]);
});
