/** Two accounts on one Frappe site know the same people: a contact is there once, whichever of them told it. */
import { expect, test } from "vitest";
import { aMessage, ANA, HIDDEN } from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig } from "../support/frappe-rig.ts";

closeFrappeRigs();

const batch = <T>(sessionId: string, items: T[], position = 1) => ({ sessionId, position, items });
const hidden = { chatId: HIDDEN, from: HIDDEN } as const;

test("a message of a hidden id is the contact's that another account merged it into", async () => {
  const { site, adapter } = await openFrappeRig();
  await adapter.upsertMessages(batch("s1", [aMessage({ ...hidden, messageId: "A" })]));
  await adapter.upsertMessages(batch("s2", [aMessage({ ...hidden, messageId: "B" })], 2));
  await adapter.mergeContact({ sessionId: "s2", from: HIDDEN, into: ANA, position: 3 });
  await adapter.upsertMessages(batch("s1", [aMessage({ ...hidden, messageId: "C" })], 4));
  expect(site.rows("WhatsApp Message").map((row) => row["contact"])).toEqual([ANA, ANA, ANA]);
  expect(site.rows("WhatsApp Contact").map(({ name }) => name)).toEqual([ANA]);
});
