/** A merge in a Frappe site that ends halfway, at each of its calls: told again, nothing shows that it ever did. */
import { describe, expect, test } from "vitest";
import type { CrmAdapter, WriteResult } from "../../bridge/adapter.ts";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { aChat, aContact, aMessage, ANA, HIDDEN, NOW } from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";
import type { FrappeSite, FrappeSiteOptions, SiteRequest } from "../support/frappe-site.ts";

closeFrappeRigs();

const batch = <T>(items: T[], position: number | null = null) => ({ sessionId: "s1", position, items });
const hidden = { chatId: HIDDEN, from: HIDDEN } as const;

/** Both ids have a contact and a chat; one message is in both, and each copy was told something else. */
async function twoOfOnePerson(options: FrappeSiteOptions): Promise<FrappeRig> {
  const rig = await openFrappeRig(options);
  const { site, adapter } = rig;
  await adapter.upsertContacts(batch([aContact({ id: HIDDEN, name: "Ana" }), aContact()], 1));
  const own = { messageId: "B", fromMe: true, timestamp: NOW, content: "B" } as const;
  await adapter.upsertMessages(
    batch(
      [
        aMessage({ ...hidden, messageId: "A", timestamp: NOW - 2, content: "A" }),
        aMessage({ ...own, chatId: HIDDEN, to: HIDDEN, status: "sent" }),
        aMessage({ ...hidden, messageId: "C", timestamp: NOW + 9, content: "C", quotedMessageId: "A" }),
      ],
      2,
    ),
  );
  await adapter.upsertMessages(batch([aMessage({ ...own, status: "sent" })], 3));
  const told = { chatId: ANA, messageId: "B", at: NOW + 1 } as const;
  await adapter.changeMessages(batch([{ ...told, kind: "status", status: "read", error: null }], 4));
  await adapter.changeMessages(batch([{ ...told, kind: "reaction", from: ANA, emoji: "👍" }], 5));
  const [theirs] = site.rows("WhatsApp Contact");
  site.edit("WhatsApp Contact", theirs?.name ?? "", { notes: "pays late" });
  site.requests();
  return rig;
}

async function hiddenAlone(options: FrappeSiteOptions): Promise<FrappeRig> {
  const rig = await openFrappeRig(options);
  await rig.adapter.upsertContacts(batch([aContact({ id: HIDDEN, name: "Ana" })], 1));
  await rig.adapter.upsertMessages(batch([aMessage({ ...hidden, messageId: "A", content: "A" })], 2));
  rig.site.requests();
  return rig;
}

const merged = (adapter: CrmAdapter): Promise<WriteResult> =>
  adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 20 });

const tell = {
  event: async (adapter: CrmAdapter) => {
    await merged(adapter);
  },
  contact: async (adapter: CrmAdapter) => {
    await adapter.upsertContacts(batch([aContact({ lid: HIDDEN })], 20));
  },
};

/** Random names, and the moments and counts of writes, say nothing about what was written. */
const BESIDE = ["creation", "modified", "owner", "sync_count"];
/** Nor does the position that a contact shows, which moves when the contact is written for another reason. */
const withoutPosition = (field: string, value: unknown): unknown =>
  field === "hub_state" ? String(value).replace(/^\{"position":\d+,"lids"/, '{"lids"') : value;
function held(site: FrappeSite): unknown {
  const session = new Map(site.rows("WhatsApp Session").map((row) => [row.name, row["session_id"]]));
  return ["WhatsApp Contact", "WhatsApp Conversation", "WhatsApp Message"].map((doctype) =>
    site
      .rows(doctype)
      .map((row) =>
        Object.fromEntries(
          Object.entries({ ...row, session: session.get(String(row["session"])) })
            .filter(([field]) => !BESIDE.includes(field))
            .map(([field, value]) => [field, withoutPosition(field, value)]),
        ),
      )
      .toSorted((a, b) => (String(a["name"]) < String(b["name"]) ? -1 : 1)),
  );
}

const isWrite = ({ method, path }: SiteRequest): boolean =>
  method !== "GET" && !/get_list|get_count/.test(path);
/** Nothing is asked again before the site is back. */
const GONE = { kind: "status", status: 503, headers: { "retry-after": "1" } } as const;

describe.each<[string, FrappeSiteOptions]>([
  ["a prepared site", {}],
  ["a site whose types cannot be renamed", { app: true, renames: false, refusesSetters: true }],
])("on %s", (_site, options) => {
  describe.each([
    ["of two chats", twoOfOnePerson],
    ["of a hidden id alone", hiddenAlone],
  ])("a merge %s", (_what, open) => {
    describe.each([
      ["an event", "event"],
      ["a contact", "contact"],
    ] as const)("told by %s", (_how, way) => {
      test("that ends before any of its writes is finished when it is told again", async () => {
        const whole = await open(options);
        await tell[way](whole.adapter);
        const calls = whole.site.requests();
        const wanted = held(whole.site);
        expect(whole.site.rows("WhatsApp Conversation")).toMatchObject([{ chat_id: ANA }]);
        const writes = calls.flatMap((request, at) => (isWrite(request) ? [at] : []));
        expect(writes.length).toBeGreaterThan(2);

        for (const [turn, last] of writes.entries()) {
          const { site, adapter, reopen } = await open(options);
          let n = 0;
          site.troubles(() => (n++ < last ? null : GONE));
          await expect(tell[way](adapter), `call ${last}`).rejects.toThrow(CrmUnavailable);
          site.troubles();
          // A bridge that was killed, and one that goes on.
          await tell[way](turn % 2 === 0 ? reopen() : adapter);
          expect(held(site), `ended before call ${last}: ${calls[last]?.path}`).toEqual(wanted);
        }
      }, 60_000);
    });

    test("whose connection breaks once under any of its writes comes to its end", async () => {
      const whole = await open(options);
      await tell.event(whole.adapter);
      const writes = whole.site.requests().filter(isWrite);
      const wanted = held(whole.site);
      for (let broken = 0; broken < writes.length; broken += 1) {
        const { site, adapter } = await open(options);
        let n = 0;
        site.troubles((request) => (isWrite(request) && n++ === broken ? { kind: "lost" } : null));
        await tell.event(adapter);
        expect(held(site), `broken: ${writes[broken]?.path}`).toEqual(wanted);
      }
    }, 60_000);
  });
});

test.each([
  ["alone", hiddenAlone],
  ["beside a chat of its number", twoOfOnePerson],
])(
  "of a hidden id %s that has two conversations, both move, and no message is written again",
  async (_what, open) => {
    const { site, adapter } = await open({});
    const CONVERSATION = "WhatsApp Conversation";
    const first = site.rows(CONVERSATION).find((row) => row["chat_id"] === HIDDEN);
    const second = site.store.insert(CONVERSATION, { ...first, name: undefined, notes: "calls back" });
    const late = { messageId: "D", timestamp: NOW + 20, content: "D" } as const;
    await adapter.upsertMessages(batch([aMessage({ ...hidden, ...late })], 6));
    const [written] = site.rows("WhatsApp Message").filter((row) => row["message_id"] === "D");
    site.edit("WhatsApp Message", written?.name ?? "", { conversation: second.name });
    const count = site.rows("WhatsApp Message").length;

    await merged(adapter);
    await adapter.upsertMessages(batch([aMessage(late)], 21));
    expect(site.rows(CONVERSATION)).toMatchObject([
      { chat_id: ANA, notes: "calls back", last_remote_message_id: "D" },
    ]);
    const ids = site.rows("WhatsApp Message").map((row) => row["message_id"]);
    expect(ids.filter((id) => String(id).endsWith("D"))).toEqual(["D"]);
    expect(ids.length).toBeLessThanOrEqual(count);
  },
);

test("preparing a site lets documents of its own types be renamed, once", async () => {
  const { site, adapter, logged } = await twoOfOnePerson({ app: true, renames: false });
  const setters = () =>
    site
      .rows("Property Setter")
      .filter(({ property }) => property === "allow_rename")
      .map((row) => [row["doc_type"], row["value"]]);
  expect(setters()).toEqual(
    ["Session", "Contact", "Conversation", "Message"].map((type) => [`WhatsApp ${type}`, "1"]),
  );
  expect(logged("frappe.rename_allowed")).toHaveLength(4);
  await adapter.prepare();
  expect(site.requests().filter(({ method }) => method === "POST")).toEqual([]);
  await tell.event(adapter);
  expect(site.requests().filter(({ path }) => path.endsWith("rename_doc"))).toHaveLength(3);
  expect(site.rows("WhatsApp Contact").map(({ name }) => name)).toEqual([ANA]);
});

test("a site that does not let the key do that is prepared all the same, and says so", async () => {
  const { site, adapter, logged } = await twoOfOnePerson({ app: true, renames: false, refusesSetters: true });
  expect(logged("frappe.rename_not_allowed")).toHaveLength(4);
  await tell.event(adapter);
  const [chat] = site.rows("WhatsApp Conversation");
  expect(site.rows("WhatsApp Message").map((row) => row["conversation"])).toEqual(Array(3).fill(chat?.name));
});

test("what something else of the site points at stays, emptied, and the merge is done all the same", async () => {
  const { site, adapter, reopen } = await twoOfOnePerson({ app: true, renames: false, refusesSetters: true });
  const [theirs] = site.rows("WhatsApp Conversation");
  site.store.doctypes.set("Ticket", {
    name: "Ticket",
    autoname: "hash",
    istable: 0,
    allow_rename: 1,
    fields: [{ fieldname: "chat", fieldtype: "Link", options: "WhatsApp Conversation" }],
  });
  site.store.insert("Ticket", { chat: theirs?.name });
  expect((await merged(adapter)).outcome).toBe("updated");
  await merged(reopen());
  const ours = site.rows("WhatsApp Conversation").find((row) => row["chat_id"] === ANA);
  expect(site.rows("WhatsApp Message").map((row) => row["conversation"])).toEqual(Array(3).fill(ours?.name));
  expect(site.rows("WhatsApp Conversation")).toHaveLength(2);
});

test("a merge that an earlier bridge left halfway is finished at the next word of it", async () => {
  const { site, adapter, reopen } = await twoOfOnePerson({});
  const [theirs] = site.rows("WhatsApp Conversation");
  const ours = site.rows("WhatsApp Conversation").at(-1);
  site.store.rename("WhatsApp Contact", HIDDEN, ANA, true);
  site.edit("WhatsApp Contact", ANA, { hub_state: JSON.stringify({ lids: [`s1|${HIDDEN}`] }) });
  site.store.rename("WhatsApp Conversation", theirs?.name ?? "", ours?.name ?? "", true);
  expect(site.rows("WhatsApp Message")).toHaveLength(4);
  await adapter.close();
  await tell.event(reopen());
  expect(site.rows("WhatsApp Message").map((row) => row["message_id"])).toEqual(["A", "B", "C"]);
});

test("a member of a group with a hidden id is the same person after a restart of the bridge", async () => {
  const { site, adapter, reopen } = await openFrappeRig();
  const GROUP = "120363000000000001@g.us";
  const said = (participant: string) =>
    aMessage({ messageId: "A", chatId: GROUP, participant, from: participant });
  await adapter.upsertContacts(batch([aContact({ id: HIDDEN })], 1));
  await adapter.upsertMessages(batch([said(HIDDEN)], 2));
  await tell.event(adapter);
  await reopen().upsertMessages(batch([said(ANA)], 21));
  expect(site.rows("WhatsApp Message")).toHaveLength(1);
});

test("what nobody has read of the hidden id's chat is not read in the chat of both", async () => {
  const { site, adapter } = await twoOfOnePerson({});
  const chats = (unreadCount: number, chatId: string) => batch([aChat({ chatId, unreadCount })], 6);
  await adapter.upsertChats(chats(3, HIDDEN));
  await adapter.upsertChats(chats(1, ANA));
  await merged(adapter);
  expect(site.rows("WhatsApp Conversation")).toMatchObject([{ chat_id: ANA, unread_count: 3 }]);
});
