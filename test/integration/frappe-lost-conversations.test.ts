/** A site that may still be making a conversation whose answer was lost, and has no index to refuse a second one. */
import { expect, test } from "vitest";
import { CrmUnavailable } from "../../bridge/errors.ts";
import { aChat, aMessage, ANA, GROUP, HIDDEN, NOW } from "../conformance/crm/records.ts";
import { minutes } from "../support/fixed-clock.ts";
import { closeFrappeRigs, openFrappeRig, type FrappeRig } from "../support/frappe-rig.ts";
import { SiteError } from "../support/frappe-site-errors.ts";
import type { SiteRequest, SiteTrouble } from "../support/frappe-site.ts";

closeFrappeRigs();

const CONVERSATION = "WhatsApp Conversation";
const PAGE = "<html><body>Gateway Time-out</body></html>";

const batch = <T>(items: T[]) => ({ sessionId: "s1", position: null, items });
const message = (n: number) => aMessage({ messageId: `M${n}`, timestamp: NOW + n });

const makesConversation = ({ method, path, body }: SiteRequest): boolean =>
  method === "POST" &&
  (path.endsWith(CONVERSATION) || (path.endsWith("insert_many") && body.includes('"chat_id"')));

/** What the adapter asked the site to make since this was last called. */
function wanted({ site }: FrappeRig): Record<string, unknown>[] {
  return site
    .requests()
    .filter(makesConversation)
    .flatMap(({ body }) => {
      const given = JSON.parse(body) as Record<string, unknown> & { docs?: Record<string, unknown>[] };
      return given.docs ?? [given];
    });
}

/** The transaction that was open when the answer was lost comes to its end. */
const commits = ({ site }: FrappeRig, documents: Record<string, unknown>[]): void => {
  for (const document of documents) site.store.insert(CONVERSATION, document);
};

const openImpatient = (): Promise<FrappeRig> => openFrappeRig({}, { timeoutMs: 300 });
const losesNext = ({ site }: FrappeRig, trouble: SiteTrouble): void =>
  site.troublesNext(makesConversation, trouble);

const losses: [string, SiteTrouble][] = [
  ["that takes too long", { kind: "silent" }],
  ["whose proxy does not wait for it", { kind: "status", status: 504, body: PAGE }],
  ["whose proxy lost it", { kind: "status", status: 502, body: '{"error":"bad gateway"}' }],
  ["that a page answers for", { kind: "status", status: 200, body: PAGE }],
  ["whose connection breaks", { kind: "refused" }],
];

test.each(losses)("of a site %s no chat is asked for twice while it may be at it", async (_what, trouble) => {
  const rig = await openImpatient();
  const { site, adapter } = rig;
  losesNext(rig, trouble);
  await expect(adapter.upsertMessages(batch([message(1)]))).rejects.toThrow(CrmUnavailable);
  const asked = wanted(rig);
  expect(asked).toHaveLength(1);

  await expect(adapter.upsertMessages(batch([message(2)]))).rejects.toThrow(CrmUnavailable);
  await expect(adapter.upsertChats(batch([aChat()]))).rejects.toThrow(CrmUnavailable);
  expect(wanted(rig)).toEqual([]);
  const other = aMessage({ chatId: GROUP, participant: ANA });
  expect(await adapter.upsertMessages(batch([other]))).toMatchObject([{ outcome: "created" }]);

  commits(rig, asked);
  const results = await adapter.upsertMessages(batch([message(1), message(2)]));
  expect(results.map(({ outcome }) => outcome)).toEqual(["created", "created"]);
  expect(site.rows(CONVERSATION).map((row) => row["chat_id"])).toEqual([GROUP, ANA]);
});

test("a chat that the site never made is asked for again after two minutes", async () => {
  const rig = await openImpatient();
  const { site, adapter, clock } = rig;
  losesNext(rig, { kind: "silent" });
  await expect(adapter.upsertMessages(batch([message(1)]))).rejects.toThrow(CrmUnavailable);
  clock.advance(minutes(2) - 1);
  await expect(adapter.upsertMessages(batch([message(1)]))).rejects.toThrow(CrmUnavailable);
  clock.advance(1);
  expect(await adapter.upsertMessages(batch([message(1)]))).toMatchObject([{ outcome: "created" }]);
  expect(site.rows(CONVERSATION)).toHaveLength(1);
});

test("chats of one page that the site may still be making wait, each", async () => {
  const rig = await openImpatient();
  const { site, adapter } = rig;
  const page = batch([aChat(), aChat({ chatId: GROUP, isGroup: true })]);
  losesNext(rig, { kind: "silent" });
  await expect(adapter.upsertChats(page)).rejects.toThrow(CrmUnavailable);
  const asked = wanted(rig);
  expect(asked).toHaveLength(2);
  await expect(adapter.upsertMessages(batch([message(1)]))).rejects.toThrow(CrmUnavailable);
  commits(rig, asked);
  expect(await adapter.upsertMessages(batch([message(1)]))).toMatchObject([{ outcome: "created" }]);
  await adapter.upsertChats(page);
  expect(site.rows(CONVERSATION)).toHaveLength(2);
});

test("a refusal of the site's own leaves nothing open: the next try makes the chat", async () => {
  const rig = await openImpatient();
  const { adapter } = rig;
  losesNext(rig, { kind: "error", error: new SiteError(417, "QueryDeadlockError", "Deadlock found") });
  await expect(adapter.upsertMessages(batch([message(1)]))).rejects.toThrow(CrmUnavailable);
  expect(await adapter.upsertMessages(batch([message(1)]))).toMatchObject([{ outcome: "created" }]);
});

test("a hidden id whose chat may yet come to be is merged when that is decided", async () => {
  const rig = await openImpatient();
  const { site, adapter } = rig;
  losesNext(rig, { kind: "silent" });
  const hidden = aMessage({ chatId: HIDDEN, from: HIDDEN });
  await expect(adapter.upsertMessages(batch([hidden]))).rejects.toThrow(CrmUnavailable);
  const asked = wanted(rig);
  const merge = { sessionId: "s1", from: HIDDEN, into: ANA, position: null };
  await expect(adapter.mergeContact(merge)).rejects.toThrow(CrmUnavailable);
  // Its contact was there when the site looked, and has another name by now.
  commits(
    rig,
    asked.map((document) => ({ ...document, contact: null })),
  );
  await adapter.mergeContact(merge);
  await adapter.upsertMessages(batch([hidden]));
  expect(site.rows(CONVERSATION).map((row) => row["chat_id"])).toEqual([ANA]);
});
