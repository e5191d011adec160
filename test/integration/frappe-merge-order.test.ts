/** Whose hidden id a Frappe site's contact has, told out of order over a restart of the bridge: what was told last counts. */
import { describe, expect, test } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { aContact, aMessage, ANA, EVA, HIDDEN } from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig } from "../support/frappe-rig.ts";

closeFrappeRigs();

const batch = <T>(items: T[], position: number) => ({ sessionId: "s1", position, items });
const hidden = { chatId: HIDDEN, from: HIDDEN } as const;

const ways: [string, (adapter: CrmAdapter, id: string, position: number) => Promise<unknown>][] = [
  [
    "an event",
    (adapter, into, position) => adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into, position }),
  ],
  [
    "a contact",
    (adapter, id, position) => adapter.upsertContacts(batch([aContact({ id, lid: HIDDEN })], position)),
  ],
];

describe.each(ways)("told by %s", (_how, told) => {
  test.each(ways)("and, older, by %s after a restart", async (_late, toldLate) => {
    const { site, adapter, reopen } = await openFrappeRig();
    await adapter.upsertContacts(batch([aContact(), aContact({ id: HIDDEN })], 1));
    await told(adapter, EVA, 20);
    const next = reopen();
    await toldLate(next, ANA, 15);
    await next.upsertMessages(batch([aMessage({ ...hidden, messageId: "A" })], 21));
    expect(site.rows("WhatsApp Conversation").map((row) => row["chat_id"])).toEqual([EVA]);
    await toldLate(reopen(), ANA, 22);
    const last = reopen();
    await last.upsertMessages(batch([aMessage({ ...hidden, messageId: "B" })], 23));
    expect(site.rows("WhatsApp Conversation").map((row) => row["chat_id"])).toEqual([EVA, ANA]);
  });
});
