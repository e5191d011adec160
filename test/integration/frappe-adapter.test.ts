/** What the Frappe adapter makes of a site's peculiarities. */
import { describe, expect, test } from "vitest";
import { CrmMisconfigured } from "../../bridge/errors.ts";
import {
  aChat,
  aContact,
  aMessage,
  ANA,
  aSessionRecord,
  GROUP,
  HIDDEN,
  NOW,
} from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig } from "../support/frappe-rig.ts";
import { minutes } from "../support/fixed-clock.ts";
import { refuse } from "../support/frappe-site-errors.ts";

closeFrappeRigs();

const batch = <T>(items: T[], position: number | null = null) => ({ sessionId: "s1", position, items });
const page = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    aMessage({ messageId: `3EB0${n}A1B2C3D4E5F6`, timestamp: NOW + n }),
  );

describe("few calls", () => {
  test("a page of a hundred new messages costs at most twelve, the same page again at most five", async () => {
    const { site, adapter } = await openFrappeRig();
    const messages = page(100);
    const created = await adapter.upsertMessages(batch(messages, 5));
    expect(new Set(created.map(({ outcome }) => outcome))).toEqual(new Set(["created"]));
    expect(site.requests().length).toBeLessThanOrEqual(12);

    await adapter.upsertMessages(batch(messages, 6));
    const again = site.requests();
    expect(again.length).toBeLessThanOrEqual(5);
    expect(again.filter(({ method, path }) => method === "PUT" || path.includes("insert"))).toEqual([]);
  });

  test("a question too long for a request line goes out as a body", async () => {
    const { site, adapter } = await openFrappeRig();
    await adapter.upsertMessages(batch(page(100)));
    const asked = site.requests().filter(({ path }) => path.endsWith("frappe.client.get_list"));
    expect(asked.map(({ method }) => method)).toContain("POST");
  });

  test("contacts are asked for and written a page at a time", async () => {
    const { site, adapter } = await openFrappeRig();
    const contacts = Array.from({ length: 100 }, (_, n) => aContact({ id: `346001${1000 + n}@c.us` }));
    await adapter.upsertContacts(batch(contacts));
    expect(site.requests().length).toBeLessThanOrEqual(8);
    const renamed = contacts.map((contact) => ({ ...contact, name: "Other" }));
    const results = await adapter.upsertContacts(batch(renamed));
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(["updated"]));
    expect(site.requests().length).toBeLessThanOrEqual(4);
  });

  test("digests of many chats are counted by the site", async () => {
    const { site, adapter } = await openFrappeRig();
    await adapter.upsertMessages(batch(page(60)));
    await adapter.upsertMessages(batch([aMessage({ chatId: GROUP, participant: ANA })]));
    site.requests();
    expect(await adapter.chatDigests("s1")).toHaveLength(2);
    expect(site.requests().length).toBeLessThanOrEqual(3);
  });
});

test.each(["text", "objects"] as const)(
  "a site that wants what is counted as %s tells how many messages each chat has",
  async (functions) => {
    const { site, adapter } = await openFrappeRig({ functions });
    await adapter.upsertMessages(batch(page(3)));
    const digest = { chatId: ANA, messages: 3, oldest: NOW, newest: NOW + 2 };
    expect(await adapter.chatDigests("s1")).toEqual([digest]);
    site.requests();
    // Asked once in vain, not each time.
    expect(await adapter.chatDigests("s1", [ANA])).toEqual([digest]);
    expect(site.requests()).toHaveLength(2);
  },
);

describe("fields that a site does not have", () => {
  test.each(["refused", "sql error", "left out"] as const)(
    "%s: are left out, remembered and reported",
    async (unknownField) => {
      const { site, adapter, logged } = await openFrappeRig({ app: true, unknownField, prepared: false });
      const first = await adapter.upsertContacts(batch([aContact()]));
      expect(first).toMatchObject([{ outcome: "created" }]);
      expect(await adapter.upsertContacts(batch([aContact()]))).toMatchObject([{ outcome: "unchanged" }]);
      expect(await adapter.upsertChats(batch([aChat()]))).toMatchObject([{ outcome: "created" }]);
      expect(await adapter.upsertChats(batch([aChat()]))).toMatchObject([{ outcome: "unchanged" }]);
      expect(await adapter.upsertMessages(batch([aMessage({ messageId: "A" })]))).toMatchObject([
        { outcome: "created" },
      ]);
      expect(await adapter.upsertMessages(batch([aMessage({ messageId: "A" })]))).toMatchObject([
        { outcome: "unchanged" },
      ]);
      expect(logged("frappe.field_missing")).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ doctype: "WhatsApp Contact", field: "hub_state" }),
          expect.objectContaining({ doctype: "WhatsApp Conversation", field: "last_remote_message_id" }),
        ]),
      );
      site.requests();
      await adapter.upsertContacts(batch([aContact()]));
      expect(site.requests()).toHaveLength(1);
    },
  );

  test("that are made while a bridge runs are used by it ten minutes later, without a restart", async () => {
    const { site, adapter, reopen, clock, logged } = await openFrappeRig({ app: true, prepared: false });
    await adapter.upsertContacts(batch([aContact()], 1));
    await reopen().prepare();
    const remembered = (): unknown[] => site.rows("WhatsApp Contact").map((row) => row["hub_state"]);
    await adapter.upsertContacts(batch([aContact({ name: "Ana P." })], 2));
    expect(remembered()).toEqual([null]);
    clock.advance(minutes(11));
    await adapter.upsertContacts(batch([aContact({ name: "Ana Q." })], 3));
    expect(remembered()).toEqual(['{"position":3}']);
    await adapter.upsertContacts(batch([aContact({ id: HIDDEN })], 4));
    await adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 5 });
    await reopen().upsertMessages(batch([aMessage({ chatId: HIDDEN, from: HIDDEN })], 6));
    expect(site.rows("WhatsApp Conversation")).toMatchObject([{ chat_id: ANA }]);
    const told = logged("frappe.field_missing").map((facts) => JSON.stringify(facts));
    expect(new Set(told).size).toBe(told.length);
  });

  test("come into being when the site is prepared, once", async () => {
    const { site, adapter, logged } = await openFrappeRig({ app: true, prepared: false });
    await adapter.prepare();
    expect(logged("frappe.field_created")).toEqual(
      expect.arrayContaining([expect.objectContaining({ doctype: "WhatsApp Message", field: "hub_state" })]),
    );
    site.requests();
    await adapter.prepare();
    expect(site.requests().filter(({ method }) => method === "POST")).toEqual([]);
  });
});

describe("the client's external id, which an earlier bridge had asked for always", () => {
  const madeEarlier = async (options: { refusesSetters?: boolean } = {}) => {
    const rig = await openFrappeRig(options);
    const field = rig.site.store
      .meta("WhatsApp Client")
      .fields.find(({ fieldname }) => fieldname === "external_id");
    if (field === undefined) throw new Error("the type has no such field");
    field.reqd = 1;
    const enter = () => rig.site.store.insert("WhatsApp Client", { client_name: "By hand" });
    expect(enter).toThrow(/external_id/);
    return { ...rig, enter };
  };

  test("may be missing once the site is prepared anew, which changes it once", async () => {
    const { site, reopen, logged, enter } = await madeEarlier();
    await reopen().prepare();
    expect(logged("frappe.field_freed")).toEqual([{ doctype: "WhatsApp Client", field: "external_id" }]);
    enter();
    enter();
    site.requests();
    await reopen().prepare();
    expect(site.requests().filter(({ method }) => method === "POST")).toEqual([]);
  });

  test("stays so where the site does not let the key change it, and that is said", async () => {
    const { reopen, logged } = await madeEarlier({ refusesSetters: true });
    await reopen().prepare();
    expect(logged("frappe.field_not_freed")).toHaveLength(1);
  });
});

describe("what a site's own code does", () => {
  test("an outgoing message keeps its status, whatever else of it is written", async () => {
    const { site, adapter } = await openFrappeRig({ app: true });
    const sent = aMessage({ messageId: "A", fromMe: true, status: "sent" });
    await adapter.upsertMessages(batch([sent]));
    const status = () => site.rows("WhatsApp Message").map((row) => row["status"]);
    expect(status()).toEqual(["Sent"]);
    const change = { chatId: ANA, messageId: "A", at: NOW + 5 } as const;
    await adapter.changeMessages(batch([{ ...change, kind: "status", status: "delivered", error: null }]));
    await adapter.changeMessages(batch([{ ...change, kind: "reaction", from: ANA, emoji: "👍" }]));
    await adapter.changeMessages(batch([{ ...change, kind: "edit", content: "other" }]));
    expect(status()).toEqual(["Delivered"]);
  });

  test("an incoming message that the site shows as delivered for ever is not written for ever", async () => {
    const { site, adapter } = await openFrappeRig({ app: true });
    const read = aMessage({ messageId: "A", status: "read" });
    await adapter.upsertMessages(batch([read], 1));
    site.requests();
    expect(await adapter.upsertMessages(batch([read], 2))).toMatchObject([{ outcome: "unchanged" }]);
    expect(site.requests().filter(({ method }) => method === "PUT")).toEqual([]);
  });

  test("what it takes for HTML and rewrites is not written for ever", async () => {
    const { adapter } = await openFrappeRig({ app: true });
    const message = aMessage({ messageId: "A", content: "a <b>bold</b> word & 1 < 2 <script>x</script>" });
    await adapter.upsertMessages(batch([message], 1));
    const again = await adapter.upsertMessages(
      batch([{ ...message, content: "a <b>bold</b> word & more" }], 2),
    );
    expect(again).toMatchObject([{ outcome: "updated" }]);
    const once = await adapter.upsertMessages(
      batch([{ ...message, content: "a <b>bold</b> word & more" }], 3),
    );
    expect(once).toMatchObject([{ outcome: "unchanged" }]);
  });

  test("a document that somebody saves in the same moment is written all the same", async () => {
    const { site, adapter } = await openFrappeRig();
    await adapter.upsertSession(aSessionRecord(), null);
    site.troublesNext(({ method }) => method === "PUT", { kind: "error", error: refuse.changed() });
    const result = await adapter.upsertSession(aSessionRecord({ sessionName: "Other" }), null);
    expect(result).toMatchObject({ outcome: "updated" });
  });
});

describe("records that people and other sessions touch", () => {
  test("a contact stays with the session that saw it first, and takes what the second knows", async () => {
    const { site, adapter } = await openFrappeRig();
    await adapter.upsertContacts(batch([aContact({ isMyContact: true })], 1));
    const theirs = aContact({ name: "Ana of the other", isMyContact: false });
    await adapter.upsertContacts({ sessionId: "s2", position: 2, items: [theirs] });
    const owner = site.rows("WhatsApp Session").find((row) => row["session_id"] === "s1")?.name;
    expect(site.rows("WhatsApp Contact")).toMatchObject([
      { session: owner, contact_name: "Ana of the other", is_my_contact: 1 },
    ]);
  });

  test("an id that another session has is written with the session before it", async () => {
    const { site, adapter } = await openFrappeRig();
    await adapter.upsertMessages(batch([aMessage({ messageId: "A" })]));
    await adapter.upsertMessages({ sessionId: "s2", position: null, items: [aMessage({ messageId: "A" })] });
    expect(site.rows("WhatsApp Message").map((row) => row["message_id"])).toEqual(["A", "s2:A"]);
  });

  test("ids that differ in case alone are two messages, though the site's index is blind to it", async () => {
    const { site, adapter } = await openFrappeRig();
    const both = [aMessage({ messageId: "3eb0a" }), aMessage({ messageId: "3EB0A" })];
    expect(await adapter.upsertMessages(batch(both))).toMatchObject([
      { outcome: "created" },
      { outcome: "created" },
    ]);
    expect(await adapter.upsertMessages(batch(both))).toMatchObject([
      { outcome: "unchanged" },
      { outcome: "unchanged" },
    ]);
    expect(site.rows("WhatsApp Message")).toHaveLength(2);
  });

  test("what a person deleted comes back with the next message", async () => {
    const { site, adapter } = await openFrappeRig();
    await adapter.upsertMessages(batch([aMessage()]));
    for (const doctype of [
      "WhatsApp Message",
      "WhatsApp Conversation",
      "WhatsApp Contact",
      "WhatsApp Session",
    ])
      site.store.table(doctype).clear();
    expect(await adapter.upsertMessages(batch([aMessage()]))).toMatchObject([{ outcome: "created" }]);
    expect(site.rows("WhatsApp Conversation")).toHaveLength(1);
  });

  test("of two conversations that people made of one chat the older one is used", async () => {
    const { site, adapter } = await openFrappeRig();
    await adapter.upsertMessages(batch([aMessage({ messageId: "A" })]));
    const [first] = site.rows("WhatsApp Conversation");
    site.store.insert("WhatsApp Conversation", { ...first, name: undefined });
    await adapter.upsertMessages(batch([aMessage({ messageId: "B", timestamp: NOW + 1 })]));
    expect(site.rows("WhatsApp Message").map((row) => row["conversation"])).toEqual([
      first?.name,
      first?.name,
    ]);
    expect(await adapter.chatDigests("s1")).toEqual([
      { chatId: ANA, messages: 2, oldest: NOW, newest: NOW + 1 },
    ]);
  });
});

describe("time", () => {
  test("is the site's own, and the configured one wins", async () => {
    const { site, adapter, reopen } = await openFrappeRig({ timeZone: "Asia/Kolkata" });
    await adapter.upsertMessages(batch([aMessage({ messageId: "A", timestamp: NOW })]));
    await reopen({ timeZone: "UTC" }).upsertMessages(batch([aMessage({ messageId: "B", timestamp: NOW })]));
    expect(site.rows("WhatsApp Message").map((row) => row["timestamp"])).toEqual([
      "2026-01-31 15:30:00",
      "2026-01-31 10:00:00",
    ]);
  });

  test("is asked where everybody may when the settings are for administrators", async () => {
    const { site, adapter } = await openFrappeRig({ timeZone: "Asia/Kolkata", settingsForbidden: true });
    await adapter.upsertMessages(batch([aMessage({ timestamp: NOW })]));
    expect(site.rows("WhatsApp Message")).toMatchObject([{ timestamp: "2026-01-31 15:30:00" }]);
  });
});

describe("a check", () => {
  test("finds nothing wrong with a prepared site, and leaves nothing behind", async () => {
    const { site, adapter } = await openFrappeRig();
    await adapter.check();
    expect(site.rows("WhatsApp Session")).toEqual([]);
  });

  test("tells a wrong key from missing types", async () => {
    const { adapter, reopen } = await openFrappeRig({ prepared: false });
    await expect(reopen({ apiSecret: "wrong" }).check()).rejects.toThrow(CrmMisconfigured);
    await expect(adapter.check()).rejects.toThrow(/prepare/);
  });
});
