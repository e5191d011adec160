/** B4 on a Frappe site: away, failing, slow, limited, or answering with a page. Never a success that is none. */
import { describe, expect, test } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { CrmMisconfigured, CrmUnavailable } from "../../bridge/errors.ts";
import {
  aChat,
  aClient,
  aContact,
  aMessage,
  ANA,
  aSessionRecord,
  HIDDEN,
  NOW,
} from "../conformance/crm/records.ts";
import { closeFrappeRigs, openFrappeRig } from "../support/frappe-rig.ts";
import { SiteError } from "../support/frappe-site-errors.ts";
import type { SiteRequest, SiteTrouble } from "../support/frappe-site.ts";

closeFrappeRigs();

const batch = <T>(items: T[]) => ({ sessionId: "s1", position: 1, items });

/** Every method of the port that talks to the CRM. */
const calls: [string, (adapter: CrmAdapter) => Promise<unknown>][] = [
  ["check", (adapter) => adapter.check()],
  ["prepare", (adapter) => adapter.prepare()],
  ["upsertSession", (adapter) => adapter.upsertSession(aSessionRecord(), 1)],
  [
    "noteSession",
    (adapter) =>
      adapter.noteSession("s1", { totals: { contacts: 1, chats: 1, messages: 1 }, lastSync: null }),
  ],
  ["upsertContacts", (adapter) => adapter.upsertContacts(batch([aContact()]))],
  ["upsertChats", (adapter) => adapter.upsertChats(batch([aChat()]))],
  [
    "upsertMessages",
    (adapter) => adapter.upsertMessages(batch([aMessage(), aMessage({ timestamp: NOW + 1 })])),
  ],
  [
    "changeMessages",
    (adapter) => adapter.changeMessages(batch([{ kind: "deletion", chatId: ANA, messageId: "A", at: NOW }])),
  ],
  [
    "mergeContact",
    (adapter) => adapter.mergeContact({ sessionId: "s1", from: HIDDEN, into: ANA, position: 1 }),
  ],
  ["totals", (adapter) => adapter.totals("s1")],
  ["chatDigests", (adapter) => adapter.chatDigests("s1")],
  ["sessionIdOf", (adapter) => adapter.sessionIdOf?.("0123456789") ?? Promise.reject(new Error("none"))],
  ["clients.create", (adapter) => adapter.clients?.create(aClient()) ?? Promise.reject(new Error("none"))],
];

const PAGE = "<html><body>The site is being updated</body></html>";
const troubles: [string, SiteTrouble, typeof CrmUnavailable | typeof CrmMisconfigured][] = [
  ["500 with a page", { kind: "status", status: 500, body: PAGE }, CrmUnavailable],
  ["200 with a page", { kind: "status", status: 200, body: PAGE }, CrmUnavailable],
  ["404 with a page", { kind: "status", status: 404, body: PAGE }, CrmUnavailable],
  ["502", { kind: "status", status: 502 }, CrmUnavailable],
  ["JSON that is not Frappe's", { kind: "status", status: 200, body: '{"ok":true}' }, CrmUnavailable],
  ["a connection that breaks", { kind: "refused" }, CrmUnavailable],
  [
    "a deadlock",
    { kind: "error", error: new SiteError(417, "QueryDeadlockError", "Deadlock found") },
    CrmUnavailable,
  ],
  [
    "a full disk",
    { kind: "error", error: new SiteError(500, "OperationalError", '(1021, "Disk full")') },
    CrmUnavailable,
  ],
  ["401", { kind: "status", status: 401, body: "{}" }, CrmMisconfigured],
  ["403", { kind: "status", status: 403, body: "{}" }, CrmMisconfigured],
  ["a redirect", { kind: "status", status: 302, headers: { location: "/login" } }, CrmMisconfigured],
];

test.each(troubles)("%s is never taken for success", async (_what, trouble, expected) => {
  const { site, adapter } = await openFrappeRig();
  site.troubles(() => trouble);
  await expect(adapter.upsertMessages(batch([aMessage()]))).rejects.toThrow(expected);
});

describe.each(calls)("%s", (_name, call) => {
  test("never says that it was done when a page comes instead of an answer, or the key is not taken", async () => {
    const { site, adapter } = await openFrappeRig();
    site.troubles(() => ({ kind: "status", status: 200, body: PAGE }));
    await expect(call(adapter)).rejects.toThrow(CrmUnavailable);
    site.troubles(() => ({ kind: "status", status: 401, body: "{}" }));
    await expect(call(adapter)).rejects.toThrow(CrmMisconfigured);
  });

  test("passes on how long a limited site wants to be left alone", async () => {
    const { site, adapter } = await openFrappeRig();
    site.troubles(() => ({ kind: "status", status: 429, headers: { "retry-after": "17" } }));
    await expect(call(adapter)).rejects.toMatchObject({ name: "CrmUnavailable", retryAfterSeconds: 17 });
    expect(site.requests().length).toBeLessThanOrEqual(3); // asked as often as calls went out side by side
  });

  test("on a site that is away says so", async () => {
    const { site, adapter } = await openFrappeRig();
    await site.goesDown();
    await expect(call(adapter)).rejects.toThrow(CrmUnavailable);
    await site.comesBack();
  });

  test("ends on a site that never answers", async () => {
    const { site, reopen } = await openFrappeRig();
    const impatient = reopen({ timeoutMs: 300 });
    site.troubles(() => ({ kind: "silent" }));
    const startedAt = performance.now();
    await expect(call(impatient)).rejects.toThrow(CrmUnavailable);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});

describe("a write whose answer was lost", () => {
  const isInsert = ({ method, path }: SiteRequest): boolean =>
    method === "POST" && (path.startsWith("/api/resource/") || path.endsWith("insert_many"));
  const writes = [
    ["one message", [aMessage({ messageId: "A" })]],
    [
      "a page of messages",
      Array.from({ length: 20 }, (_, n) => aMessage({ messageId: `M${n}`, timestamp: NOW + n })),
    ],
  ] as const;

  test.each(writes)("of %s is not done twice, wherever it was lost", async (_what, messages) => {
    for (let lost = 0; lost < 4; lost += 1) {
      const { site, adapter } = await openFrappeRig();
      let inserts = 0;
      site.troubles((request) => (isInsert(request) && inserts++ === lost ? { kind: "lost" } : null));
      await adapter.upsertMessages(batch([...messages]));
      expect(site.rows("WhatsApp Message")).toHaveLength(messages.length);
      expect(site.rows("WhatsApp Conversation")).toHaveLength(1);
      expect(site.rows("WhatsApp Contact")).toHaveLength(1);
      expect(site.rows("WhatsApp Session")).toHaveLength(1);
    }
  });

  test("is looked for by the next try when the site took too long", async () => {
    const { site, reopen } = await openFrappeRig();
    const impatient = reopen({ timeoutMs: 300 });
    await impatient.upsertSession(aSessionRecord(), 1);
    site.latencyMs = 0;
    site.troublesNext(({ method, path }) => method === "POST" && path.endsWith("Conversation"), {
      kind: "late",
    });
    await expect(impatient.upsertMessages(batch([aMessage({ messageId: "A" })]))).rejects.toThrow(
      CrmUnavailable,
    );
    await impatient.upsertMessages(batch([aMessage({ messageId: "A" })]));
    expect(site.rows("WhatsApp Conversation")).toHaveLength(1);
    expect(site.rows("WhatsApp Message")).toHaveLength(1);
  });
});

test("one record that the site refuses costs no other, in a page as well", async () => {
  const { site, adapter } = await openFrappeRig();
  const messages = Array.from({ length: 10 }, (_, n) => aMessage({ messageId: `M${n}`, timestamp: NOW + n }));
  site.troubles(({ body }) =>
    body.includes('"message_id":"M4"')
      ? { kind: "error", error: new SiteError(417, "ValidationError", "no M4") }
      : null,
  );
  const results = await adapter.upsertMessages(batch(messages));
  expect(results.map(({ outcome }) => outcome)).toEqual(
    messages.map((_, n) => (n === 4 ? "rejected" : "created")),
  );
  expect(results[4]?.error).toContain("no M4");
  expect(site.rows("WhatsApp Message")).toHaveLength(9);
});

test("a site that fails halfway through a page keeps what it took, and the next try brings the rest", async () => {
  const { site, adapter } = await openFrappeRig();
  const messages = Array.from({ length: 120 }, (_, n) =>
    aMessage({ messageId: `M${n}`, timestamp: NOW + n }),
  );
  let pages = 0;
  site.troubles(({ path }) =>
    path.endsWith("insert_many") && pages++ === 1 ? { kind: "status", status: 503, body: PAGE } : null,
  );
  await expect(adapter.upsertMessages(batch(messages))).rejects.toThrow(CrmUnavailable);
  site.troubles();
  const outcomes = (await adapter.upsertMessages(batch(messages))).map(({ outcome }) => outcome);
  // Three requests of the same size, of which the second failed.
  expect(outcomes.filter((outcome) => outcome === "unchanged")).toHaveLength(40);
  expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(80);
  expect(site.rows("WhatsApp Message")).toHaveLength(120);
});
