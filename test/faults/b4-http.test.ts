/** B4 on any other CRM: away, failing, slow, limited, silent about records, or answering with a page. */
import { createHmac } from "node:crypto";
import type { RequestListener } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { openHttpAdapter, type HttpCrmConfig } from "../../bridge/adapters/http/http-adapter.ts";
import { systemClock } from "../../bridge/clock.ts";
import { CrmMisconfigured, CrmUnavailable } from "../../bridge/errors.ts";
import { createLog } from "../../bridge/log.ts";
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
import { serveFile, type FileServer } from "../support/file-server.ts";

interface Taken {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  raw: string;
  body: Record<string, unknown>;
}
type Reply = { status: number; body?: unknown; headers?: Record<string, string> } | "broken" | "silent";

const open: { server: FileServer; adapter: CrmAdapter }[] = [];
afterEach(async () => {
  for (const { server, adapter } of open.splice(0)) {
    await adapter.close();
    await server.close();
  }
});

/** A CRM that answers each request as `reply` says, once it has taken it. */
async function openCrm(reply: (taken: Taken) => Reply, config: Partial<HttpCrmConfig> = {}) {
  const taken: Taken[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks).toString("utf8");
      // What the adapter sends is an object.
      const body = raw === "" ? {} : (JSON.parse(raw) as Record<string, unknown>);
      const one = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        raw,
        body,
      };
      taken.push(one);
      const answer = reply(one);
      if (answer === "silent") return;
      if (answer === "broken") {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {}));
    });
  };
  const server = await serveFile(listener);
  const adapter = openHttpAdapter(
    { url: server.url, ...config },
    { clock: systemClock, log: createLog("silent") },
  );
  open.push({ server, adapter });
  return { adapter, taken, server };
}

const batch = <T>(items: T[]) => ({ sessionId: "s1", position: 1, items });
const itemsOf = ({ body }: Taken): Record<string, unknown>[] =>
  Array.isArray(body["items"]) ? (body["items"] as Record<string, unknown>[]) : [];
const keyOf = (item: Record<string, unknown>): string =>
  "messageId" in item
    ? `s1|${String(item["chatId"])}|${String(item["messageId"])}${"fromMe" in item ? `|${String(item["fromMe"])}` : ""}`
    : `s1|${String(item["chatId"] ?? item["id"])}`;
const good = (taken: Taken): Reply => ({
  status: 200,
  body: {
    outcome: "created",
    contacts: 0,
    chats: 0,
    messages: 0,
    digests: [],
    clients: [],
    results: itemsOf(taken).map((item) => ({ key: keyOf(item), outcome: "created" })),
  },
});

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
    expect(taken.length).toBeLessThanOrEqual(15);
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
    await adapter.upsertSession(aSessionRecord(), 3);
    await adapter.upsertContacts(batch([aContact({ lid: HIDDEN })]));
    expect(taken.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "PUT /wa/accounts/s1/",
      "POST /wa/people/",
    ]);
    expect(taken[0]?.body).toMatchObject({ sessionId: "s1", settings: {}, position: 3 });
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
    await expect(openCrm(good, { map: { paths: { contact: "/x" } } })).rejects.toThrow(/CRM_MAP/);
    await expect(openCrm(good, { map: { paths: { contacts: "no slash" } } })).rejects.toThrow(
      CrmMisconfigured,
    );
  });
});

describe("a call that a CRM may lack", () => {
  const edit = { kind: "edit", chatId: ANA, messageId: "A", content: "x", at: NOW } as const;
  const isExtra = ({ path }: Taken): boolean => path === "/changes/batch";

  test("is not taken for lacking while the CRM has lost its other paths as well", async () => {
    let isDeployed = false;
    const { adapter } = await openCrm((taken) => (isDeployed ? good(taken) : { status: 404 }));
    await expect(adapter.changeMessages(batch([edit]))).rejects.toThrow(CrmMisconfigured);
    isDeployed = true;
    expect(await adapter.changeMessages(batch([edit]))).toEqual([{ outcome: "created" }]);
  });

  test("and that worked before is broken, not lacking", async () => {
    let isBroken = false;
    const { adapter } = await openCrm((taken) =>
      isBroken && isExtra(taken) ? { status: 404 } : good(taken),
    );
    expect(await adapter.changeMessages(batch([edit]))).toEqual([{ outcome: "created" }]);
    isBroken = true;
    await expect(adapter.changeMessages(batch([edit]))).rejects.toThrow(CrmMisconfigured);
  });

  test("is not one of the six", async () => {
    for (const path of [
      "/sessions/s1",
      "/contacts/batch",
      "/chats/batch",
      "/messages/batch",
      "/statuses/batch",
    ]) {
      const { adapter } = await openCrm((taken) => (taken.path === path ? { status: 404 } : good(taken)));
      const status = {
        kind: "status",
        chatId: ANA,
        messageId: "A",
        status: "read",
        at: NOW,
        error: null,
      } as const;
      const all = async (): Promise<void> => {
        await adapter.upsertSession(aSessionRecord(), 1);
        await adapter.upsertContacts(batch([aContact()]));
        await adapter.upsertChats(batch([aChat()]));
        await adapter.upsertMessages(batch([aMessage()]));
        await adapter.changeMessages(batch([status]));
      };
      await expect(all()).rejects.toThrow(CrmMisconfigured);
    }
  });

  test("may be refused for a parameter, and an empty batch for being empty", async () => {
    const { adapter } = await openCrm((taken) => {
      const isOdd =
        taken.path.includes("chats=1") || (taken.method === "POST" && itemsOf(taken).length === 0);
      return isOdd ? { status: 422, body: { message: "The items field is required." } } : good(taken);
    });
    await adapter.check();
    expect(await adapter.chatDigests("s1")).toEqual([]);
  });
});

describe("a record over which the CRM fails", () => {
  const many = (n: number) =>
    Array.from({ length: n }, (_, m) => aMessage({ messageId: `M${m}`, timestamp: NOW + m }));
  const has = (one: Taken, ...ids: string[]): boolean =>
    itemsOf(one).some((item) => ids.includes(String(item["messageId"])));
  const fails: Reply = { status: 500, body: { message: "value too long for type character varying(140)" } };

  test("is found by sending less, and is refused alone, with the CRM's words", async () => {
    const { adapter, taken } = await openCrm((one) => (has(one, "M7", "M63") ? fails : good(one)));
    const results = await adapter.upsertMessages(batch(many(100)));
    expect(results.filter(({ outcome }) => outcome === "created")).toHaveLength(98);
    for (const n of [7, 63])
      expect(results[n]).toEqual({
        outcome: "rejected",
        error: "POST /messages/batch: value too long for type character varying(140)",
      });
    expect(taken.length).toBeLessThan(40);
  });

  test("is refused also where the CRM has all the others already", async () => {
    const { adapter } = await openCrm((one) => {
      const unchanged = itemsOf(one).map((item) => ({ key: keyOf(item), outcome: "unchanged" }));
      const { body } = good(one) as { body: object };
      return has(one, "M7") ? fails : { status: 200, body: { ...body, results: unchanged } };
    });
    const results = await adapter.upsertMessages(batch(many(10)));
    expect(results[7]).toMatchObject({ outcome: "rejected" });
    expect(results.filter(({ outcome }) => outcome === "unchanged")).toHaveLength(9);
  });

  test("that comes alone is refused at its third time, once the CRM has taken another one", async () => {
    const { adapter } = await openCrm((one) => (has(one, "BAD") ? fails : good(one)));
    const bad = () => adapter.upsertMessages(batch([aMessage({ messageId: "BAD" })]));
    for (let n = 0; n < 4; n++) await expect(bad()).rejects.toThrow(CrmUnavailable);
    await adapter.upsertMessages(batch([aMessage({ messageId: "GOOD" })]));
    expect(await bad()).toMatchObject([{ outcome: "rejected" }]);
  });

  test("is nobody's fault where all of them fail: it is the CRM's, and few questions are asked", async () => {
    const { adapter, taken } = await openCrm((one) => (one.path === "/messages/batch" ? fails : good(one)));
    for (let n = 0; n < 5; n++)
      await expect(adapter.upsertMessages(batch(many(100)))).rejects.toThrow(CrmUnavailable);
    expect(taken.length).toBeLessThan(100);
  });

  test.each<[string, Reply]>([
    ["503", { status: 503 }],
    ["500 with a time to come back", { status: 500, headers: { "retry-after": "5" } }],
  ])("is not looked for on %s", async (_what, reply) => {
    const { adapter, taken } = await openCrm((one) => (has(one, "M1") ? reply : good(one)));
    for (let n = 0; n < 4; n++)
      await expect(adapter.upsertMessages(batch(many(4)))).rejects.toThrow(CrmUnavailable);
    expect(taken).toHaveLength(4);
  });

  test("is not looked for while the CRM does not answer at all, nor when it fails once", async () => {
    const down = await openCrm(() => fails);
    for (let n = 0; n < 4; n++)
      await expect(down.adapter.upsertMessages(batch(many(4)))).rejects.toThrow(CrmUnavailable);
    let failed = 0;
    const once = await openCrm((one) =>
      one.path === "/messages/batch" && failed++ === 0 ? fails : good(one),
    );
    expect(await once.adapter.upsertMessages(batch(many(4)))).toHaveLength(4);
    expect(once.taken.filter(({ path }) => path === "/messages/batch")).toHaveLength(2);
  });
});
