/** What comes while a hidden id is merged in a Frappe site, and waits for it: it belongs to the person that the id turned out to be. */
import { expect, test } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import {
  aChat,
  aContact,
  aMessage,
  ANA,
  EVA,
  GROUP,
  HIDDEN,
  NOW,
  withLast,
} from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";

closeFrappeRigs();

const batch = <T>(items: T[], position: number) => ({ sessionId: "s1", position, items });
const hidden = { chatId: HIDDEN, from: HIDDEN } as const;
const late = { messageId: "B", timestamp: NOW + 5, content: "B" } as const;
const merge = { sessionId: "s1", from: HIDDEN, into: ANA, position: 20 } as const;

const ids = ({ site }: FrappeRig) => ({
  contacts: site.rows("WhatsApp Contact").map((row) => row["contact_id"]),
  chats: site.rows("WhatsApp Conversation").map((row) => row["chat_id"]),
});

/** `beside` is called in the middle of the merge. */
async function merging(
  told: (adapter: CrmAdapter) => Promise<unknown>,
  beside: (adapter: CrmAdapter) => Promise<unknown>,
): Promise<FrappeRig> {
  const rig = await openFrappeRig();
  const { site, adapter } = rig;
  await adapter.upsertContacts(batch([aContact({ id: HIDDEN })], 1));
  await adapter.upsertMessages(batch([aMessage({ ...hidden, messageId: "A", content: "A" })], 2));
  let waiting: Promise<unknown> | undefined;
  site.troubles(({ path }) => {
    if (path.endsWith("rename_doc")) waiting ??= beside(adapter);
    return null;
  });
  await told(adapter);
  site.troubles();
  await waiting;
  expect(waiting).toBeDefined();
  return rig;
}

test.each<[string, (adapter: CrmAdapter) => Promise<unknown>]>([
  ["an event", (adapter) => adapter.mergeContact(merge)],
  ["a contact", (adapter) => adapter.upsertContacts(batch([aContact({ lid: HIDDEN })], 20))],
])("a message that waits for a merge told by %s goes to the person's chat", async (_how, told) => {
  const rig = await merging(told, (adapter) =>
    adapter.upsertMessages(batch([aMessage({ ...hidden, ...late })], 19)),
  );
  expect(ids(rig)).toEqual({ contacts: [ANA], chats: [ANA] });
  await rig.adapter.upsertMessages(batch([aMessage(late)], 21));
  expect(rig.site.rows("WhatsApp Message").map((row) => row["message_id"])).toEqual(["A", "B"]);
});

test("an edit that waits for a merge finds its message", async () => {
  const edit = { kind: "edit", content: "Better", at: NOW + 9 } as const;
  const rig = await merging(
    (adapter) => adapter.mergeContact(merge),
    (adapter) => adapter.changeMessages(batch([{ ...edit, chatId: HIDDEN, messageId: "A" }], 19)),
  );
  expect(rig.site.rows("WhatsApp Message")).toMatchObject([{ content: "Better" }]);
});

test("a chat that waits for a merge is the person's", async () => {
  const last = withLast(aMessage({ ...hidden, ...late }));
  const rig = await merging(
    (adapter) => adapter.mergeContact(merge),
    (adapter) => adapter.upsertChats(batch([aChat({ chatId: HIDDEN, ...last })], 19)),
  );
  expect(ids(rig)).toEqual({ contacts: [ANA], chats: [ANA] });
});

test("a contact that is told under its hidden id while a merge begins is the person's", async () => {
  const rig = await openFrappeRig();
  const { site, adapter } = rig;
  const strangers = Array.from({ length: 250 }, (_, n) => aContact({ id: `3460000${1000 + n}@c.us` }));
  let waiting: Promise<unknown> | undefined;
  // It was looked for and is not there yet: the strangers before it are written first.
  site.troubles(({ path }) => {
    if (path.endsWith("insert_many")) waiting ??= adapter.mergeContact(merge);
    return null;
  });
  await adapter.upsertContacts(batch([...strangers, aContact({ id: HIDDEN })], 19));
  await waiting;
  expect(waiting).toBeDefined();
  expect(ids(rig).contacts).toContain(ANA);
  expect(ids(rig).contacts).not.toContain(HIDDEN);
});

test("what was told of a chat before a merge, and comes after it, is still news", async () => {
  const { site, adapter } = await openFrappeRig();
  await adapter.upsertMessages(batch([aMessage({ ...hidden, messageId: "A" })], 2));
  await adapter.mergeContact(merge);
  await adapter.upsertChats(batch([aChat({ chatId: HIDDEN, archived: true })], 19));
  expect(site.rows("WhatsApp Conversation")).toMatchObject([{ chat_id: ANA, is_archived: 1 }]);
});

test("a message whose id two others have is found under its author's number once they have one", async () => {
  const { site, adapter } = await openFrappeRig();
  const said = (participant: string, content: string) =>
    aMessage({ messageId: "A", chatId: GROUP, participant, from: participant, content });
  await adapter.upsertMessages({ sessionId: "s2", position: 1, items: [said(EVA, "Eva, to another")] });
  await adapter.upsertMessages(batch([said(EVA, "Eva"), said(HIDDEN, "Ana")], 2));
  await adapter.mergeContact(merge);
  expect(await adapter.upsertMessages(batch([said(ANA, "Ana")], 21))).not.toMatchObject([
    { outcome: "created" },
  ]);
  expect(site.rows("WhatsApp Message")).toHaveLength(3);
});
