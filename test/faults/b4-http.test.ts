/** B4 on any other CRM: away, failing, slow, limited, silent about records, or answering with a page. */
import { createHmac } from "node:crypto";
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
  EVA,
  HIDDEN,
  NOW,
} from "../conformance/crm/records.ts";
import { batch, good, itemsOf, keyOf, openCrm, type Reply, type Taken } from "../support/answering-crm.ts";

const calls: [string, (adapter: CrmAdapter) => Promise<unknown>][] = [
  ["check", (adapter) => adapter.check()],
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
  ["clients.create", (adapter) => adapter.clients?.create(aClient()) ?? Promise.reject(new Error("none"))],
];

describe.each(calls)("%s", (_name, call) => {
  test.each<[string, Reply, typeof CrmUnavailable | typeof CrmMisconfigured]>([
    ["500", { status: 500, body: "<html>Server error</html>" }, CrmUnavailable],
    ["409", { status: 409 }, CrmUnavailable],
    ["503", { status: 503 }, CrmUnavailable],
    ["a page instead of JSON", { status: 200, body: "<html>Log in</html>" }, CrmUnavailable],
    ["JSON that says nothing", { status: 200, body: "null" }, CrmUnavailable],
    ["202, which only promises", { status: 202, body: { results: [] } }, CrmUnavailable],
    ["204", { status: 204, body: "" }, CrmUnavailable],
    ["broken connections", "broken", CrmUnavailable],
    ["401", { status: 401 }, CrmMisconfigured],
    ["403", { status: 403, body: "<html>CSRF verification failed</html>" }, CrmMisconfigured],
    ["404", { status: 404 }, CrmMisconfigured],
    ["419", { status: 419, body: "<html>Page expired</html>" }, CrmMisconfigured],
    ["a redirect", { status: 302, headers: { location: "/login" } }, CrmMisconfigured],
  ])("on %s never says that it was done", async (_what, reply, expected) => {
    const { adapter } = await openCrm(() => reply);
    await expect(call(adapter)).rejects.toThrow(expected);
  });

  test("passes on how long a limited CRM wants to be left alone", async () => {
    const { adapter } = await openCrm(() => ({ status: 429, headers: { "retry-after": "17" } }));
    await expect(call(adapter)).rejects.toMatchObject({ name: "CrmUnavailable", retryAfterSeconds: 17 });
  });

  test("ends on a CRM that never answers", async () => {
    const { adapter } = await openCrm(() => "silent", { timeoutMs: 200 });
    await expect(call(adapter)).rejects.toThrow(CrmUnavailable);
  });

  test("goes through on a CRM that is well", async () => {
    const { adapter } = await openCrm(good);
    await call(adapter);
  });
});

test("the advice for a route that is protected against browsers names the remedy", async () => {
  const laravel = await openCrm(() => ({ status: 419 }));
  await expect(laravel.adapter.upsertContacts(batch([aContact()]))).rejects.toThrow(/API routes/);
  const django = await openCrm(() => ({ status: 403 }));
  await expect(django.adapter.upsertContacts(batch([aContact()]))).rejects.toThrow(/exempt the view/);
});

describe("results", () => {
  test("are found by their key, in any order", async () => {
    const { adapter } = await openCrm((taken) => ({
      status: 200,
      body: {
        results: itemsOf(taken)
          .map((item, n) => ({ key: keyOf(item), outcome: n === 0 ? "created" : "updated", id: n }))
          .reverse(),
      },
    }));
    expect(await adapter.upsertContacts(batch([aContact(), aContact({ id: EVA })]))).toEqual([
      { outcome: "created", id: "0" },
      { outcome: "updated", id: "1" },
    ]);
  });

  test("that are missing are failures", async () => {
    const { adapter } = await openCrm(() => ({
      status: 200,
      body: {
        results: [
          { key: `s1|${ANA}`, outcome: "created" },
          { key: `s1|${EVA}`, outcome: "maybe" },
        ],
      },
    }));
    const results = await adapter.upsertContacts(batch([aContact(), aContact({ id: EVA })]));
    expect(results).toMatchObject([{ outcome: "created" }, { outcome: "rejected" }]);
    expect(results[1]?.error).toMatch(/did not say/);
  });

  test("of a batch refused as a whole are found by sending less, until the bad record stands alone", async () => {
    const { adapter, taken } = await openCrm((one) => {
      const isBad = itemsOf(one).some((item) => item["messageId"] === "M77");
      return isBad ? { status: 422, body: { message: "M77 is bad" } } : good(one);
    });
    const messages = Array.from({ length: 100 }, (_, n) =>
      aMessage({ messageId: `M${n}`, timestamp: NOW + n }),
    );
    const results = await adapter.upsertMessages(batch(messages));
    expect(results.filter(({ outcome }) => outcome === "created")).toHaveLength(99);
    expect(results[77]).toMatchObject({ outcome: "rejected" });
    expect(results[77]?.error).toContain("M77 is bad");
    expect(taken.filter(({ method }) => method === "POST").length).toBeLessThanOrEqual(15);
  });

  test("never mix two records of one key: the second goes in a batch of its own", async () => {
    const { adapter, taken } = await openCrm(good);
    const change = { chatId: ANA, messageId: "A", at: NOW } as const;
    await adapter.changeMessages(
      batch([
        { ...change, kind: "status", status: "delivered", error: null },
        { ...change, kind: "edit", content: "x" },
        { ...change, kind: "status", status: "read", error: null },
      ]),
    );
    expect(taken.map(({ path, body }) => [path, itemsOf({ body } as Taken).length])).toEqual([
      ["/statuses/batch", 1],
      ["/statuses/batch", 1],
      ["/changes/batch", 1],
    ]);
  });
});

test("batches are never larger than a hundred", async () => {
  const { adapter, taken } = await openCrm(good);
  const contacts = Array.from({ length: 250 }, (_, n) => aContact({ id: `346001${1000 + n}@c.us` }));
  expect(await adapter.upsertContacts(batch(contacts))).toHaveLength(250);
  expect(taken.map((one) => itemsOf(one).length)).toEqual([100, 100, 50]);
});

test("a request whose answer was lost is sent once more, as the same request", async () => {
  let lost = 0;
  const { adapter, taken } = await openCrm((one) => (lost++ === 0 ? "broken" : good(one)));
  expect(await adapter.upsertContacts(batch([aContact()]))).toMatchObject([{ outcome: "created" }]);
  expect(taken).toHaveLength(2);
  expect(taken[1]?.headers["idempotency-key"]).toBe(taken[0]?.headers["idempotency-key"]);
  expect(taken[1]?.raw).toBe(taken[0]?.raw);
});

test("every request says who it is from, signed over the very bytes", async () => {
  const secret = "a secret of tests, long enough";
  const { adapter, taken } = await openCrm(good, { secret, auth: "Bearer abc" });
  await adapter.upsertContacts(batch([aContact({ name: "Ñandú 👍" })]));
  await adapter.totals("s1");
  for (const { headers, raw } of taken) {
    const signature = `sha256=${createHmac("sha256", secret).update(raw).digest("hex")}`;
    expect(headers).toMatchObject({
      authorization: "Bearer abc",
      accept: "application/json",
      "x-requested-with": "XMLHttpRequest",
      "x-webhook-signature": signature,
      "x-hub-signature-256": signature,
    });
  }
  const keys = taken.map(({ headers }) => headers["idempotency-key"]);
  expect(keys).toEqual([expect.stringMatching(/^[\x21-\x7e]{1,128}$/), undefined]);
});

describe("CRM_MAP", () => {
  test("sends to other paths, under other names", async () => {
    const map = {
      paths: { session: "/wa/accounts/{sessionId}/", contacts: "/wa/people/" },
      fields: { contact: { phone: "telefono", lid: null } },
    };
    const { adapter, taken } = await openCrm(good, { map });
    const settings = { ignoreGroups: true, bot: { enabled: false, reason: null } };
    await adapter.upsertSession({ ...aSessionRecord(), settings }, 3);
    await adapter.upsertContacts(batch([aContact({ lid: HIDDEN })]));
    expect(taken.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "PUT /wa/accounts/s1/",
      "POST /wa/people/",
    ]);
    expect(taken[0]?.body).toMatchObject({ sessionId: "s1", settings, position: 3 });
    const [sent] = itemsOf(taken[1] ?? ({ body: {} } as Taken));
    expect(sent).toMatchObject({ telefono: "+34600111222", id: ANA });
    expect(sent).not.toHaveProperty("phone");
    expect(sent).not.toHaveProperty("lid");
  });

  test("leaves out what the CRM has no use for, and a CRM may say so itself", async () => {
    const edit = { kind: "edit", chatId: ANA, messageId: "A", content: "x", at: NOW } as const;
    const told = await openCrm(good, { map: { paths: { changes: null, merge: null, clients: null } } });
    expect(await told.adapter.changeMessages(batch([edit]))).toEqual([{ outcome: "unchanged" }]);
    expect(told.taken).toEqual([]);
    expect(told.adapter.clients).toBe(undefined);
    const saysSo = await openCrm(() => ({ status: 501 }));
    expect(await saysSo.adapter.changeMessages(batch([edit]))).toEqual([{ outcome: "unchanged" }]);
  });

  test("that cannot be used is said at the start", async () => {
    await expect(openCrm(good, { map: { paths: { contact: "/x" } } })).rejects.toThrow(
      /^CRM_MAP cannot be used: paths: Unrecognized key: "contact"$/,
    );
    await expect(openCrm(good, { map: { field: {} } })).rejects.toThrow(
      /^CRM_MAP cannot be used: Unrecognized key: "field"$/,
    );
    await expect(openCrm(good, { map: { paths: { contacts: "no slash" } } })).rejects.toThrow(
      CrmMisconfigured,
    );
  });
});
