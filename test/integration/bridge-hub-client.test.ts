/** The bridge's client of the hub: against the hub's own surface, and against servers that behave badly. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import { createHubClient } from "../../bridge/hub-client-http.ts";
import { aMedia, aMessageFact, T0_SECONDS } from "../support/builders.ts";
import { aHubSession } from "../support/hub-records.ts";
import { openHttpRig, type HttpRig } from "../support/http-rig.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

const ANA = "34600111222@c.us";
const RAW_ANA = "34600111222@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";
const API_KEY = "ihk_00000000_secretsecretsecretsecretsecretsecretsecret";

const clientOf = (url: string, { apiKey = API_KEY, deadlineMs = 20_000 } = {}) => {
  const log = logBook();
  const client = createHubClient({ url, apiKey, userAgent: "InboxBridge/test", log, deadlineMs });
  onTestFinished(() => client.close());
  return { client, log };
};

const failureOf = async (call: Promise<unknown>): Promise<HubUnavailable> => {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof HubUnavailable) return error;
  throw new Error("not refused", { cause: error });
};

describe("the hub", () => {
  async function open() {
    const rig = await openHttpRig();
    return { rig, ...clientOf(rig.url, { apiKey: rig.key }) };
  }
  const says = (rig: HttpRig, ...ids: string[]) =>
    rig.tell("s1", ...ids.map((id, n) => aMessageFact({ id, timestamp: T0_SECONDS + n })));

  test("lists its sessions, all of them, and tells of one", async () => {
    const { rig, client } = await open();
    expect(await client.sessions()).toEqual([]);
    await rig.session("s1");
    await rig.session("s2", { connected: false });
    expect((await client.sessions()).map(({ sessionId }) => sessionId)).toEqual(["s1", "s2"]);
    expect((await client.session("s1")).session).toMatchObject({
      status: "connected",
      phoneNumber: "34600999888",
    });
    expect(await failureOf(client.session("none"))).toMatchObject({ code: "SESSION_NOT_FOUND", status: 404 });
  });

  test("gives pages with cursor and position", async () => {
    const { rig, client } = await open();
    await rig.session("s1");
    await says(rig, "3A01", "3A02", "3A03");
    const { latestSeq } = await client.events({ after: 0, limit: 1 });
    const first = await client.messages("s1", ANA, { limit: 2 });
    expect(first).toMatchObject({ total: 3, position: latestSeq });
    expect(first.items.map(({ messageId }) => messageId)).toEqual(["3A03", "3A02"]);
    const rest = await client.messages("s1", ANA, { limit: 2, cursor: first.nextCursor ?? "" });
    expect(rest.items.map(({ messageId }) => messageId)).toEqual(["3A01"]);
    expect(rest.nextCursor).toBeNull();
    const asc = await client.messages("s1", ANA, { limit: 5, order: "asc", since: T0_SECONDS + 1 });
    expect(asc.items.map(({ messageId }) => messageId)).toEqual(["3A02", "3A03"]);
    expect(await client.chats("s1", { limit: 5 })).toMatchObject({
      items: [{ chatId: ANA }],
      position: latestSeq,
    });
    expect((await client.contacts("s1", { limit: 5 })).position).toBe(latestSeq);
    expect(await client.chats("s1", { limit: 5, updatedAfter: T0_SECONDS + 9999 })).toMatchObject({
      items: [],
    });
    // What changed comes by when it changed, whenever it was sent.
    await says(rig, "3A04");
    const page = { limit: 3, updatedAfter: 1 };
    const { items, nextCursor } = await client.changedMessages("s1", page);
    expect(items.map(({ messageId }) => messageId)).toEqual(["3A01", "3A02", "3A03"]);
    const changed = await client.changedMessages("s1", { ...page, cursor: nextCursor ?? "" });
    expect([changed.items[0]?.messageId, changed.nextCursor]).toEqual(["3A04", null]);
  });

  test("gives one message, chat or contact, or says that it has none", async () => {
    const { rig, client } = await open();
    await rig.session("s1");
    await says(rig, "3A01", "3A02");
    await rig.tell(
      "s1",
      { kind: "contact", jid: RAW_ANA, change: { name: "Ana" }, live: true },
      { kind: "group", jid: GROUP, subject: "Team", by: null, live: true },
    );
    expect((await client.message("s1", { chatId: ANA, messageId: "3A01" }))?.message).toMatchObject({
      messageId: "3A01",
      chatId: ANA,
    });
    expect(await client.message("s1", { chatId: ANA, messageId: "3AFF" })).toBeNull();
    expect(await client.message("s1", { chatId: "34600999999@c.us", messageId: "3A01" })).toBeNull();
    expect((await client.chat("s1", ANA))?.chat).toMatchObject({ chatId: ANA, name: "Ana" });
    expect((await client.chat("s1", GROUP))?.chat).toMatchObject({ chatId: GROUP, name: "Team" });
    expect(await client.chat("s1", "111222@c.us")).toBeNull();
    expect((await client.contact("s1", ANA))?.contact).toMatchObject({ id: ANA, name: "Ana" });
    expect(await client.contact("s1", "111222@c.us")).toBeNull();
    // A session that is gone took all that with it.
    expect(await client.chat("none", ANA)).toBeNull();
    expect(await client.message("none", { chatId: ANA, messageId: "3A01" })).toBeNull();
    expect(await failureOf(client.message("s1", { chatId: ANA, messageId: "no id" }))).toMatchObject({
      code: "VALIDATION_ERROR",
    });
  });

  test("looks everybody up in its own time, and says how many wait", async () => {
    const { rig, client } = await open();
    await rig.session("s1");
    await rig.tell("s1", { kind: "contact", jid: RAW_ANA, change: { name: "Ana" }, live: true });
    expect(await client.lookUpAll("s1", 1_000)).toBe(1);
    expect(await rig.store.lookUps.wanted()).toEqual([{ sessionId: "s1", most: 1_000 }]);
    expect(await failureOf(client.lookUpAll("none", 1))).toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  test("tells its events, and where they begin and end", async () => {
    const { rig, client } = await open();
    await rig.session("s1");
    await rig.tell("s1", aMessageFact({ id: "3A01", media: aMedia(), type: "image" }));
    const feed = await client.events({ after: 0, limit: 500 });
    expect(feed.events.at(-1)).toMatchObject({
      event: "message.received",
      sessionId: "s1",
      seq: feed.latestSeq,
    });
    expect(feed).toMatchObject({ nextAfter: feed.latestSeq, hasMore: false, epoch: 1 });
    expect(feed.hubId).not.toBe("");
    expect((await client.events({ after: feed.latestSeq, limit: 500 })).events).toEqual([]);
  });

  test("takes orders: create, connect, code, stop, log out, send", async () => {
    const { rig, client } = await open();
    expect(await client.createSession({ sessionId: "s9", sessionName: "Nine" })).toMatchObject({
      sessionId: "s9",
      sessionName: "Nine",
    });
    expect(await client.createSession({ sessionId: "s9" })).toMatchObject({ sessionName: "Nine" });
    rig.whatsapp
      .account("s9")
      .whenOpened((opened) => opened.shows("2@qr-text", new Date(rig.clock.now().getTime() + 20_000)));
    expect((await client.connect("s9")).sessionId).toBe("s9");
    const code = await client.qrCode("s9");
    expect(code.qrCodeDataUrl).toBe(`data:image/png;base64,${code.qrCode}`);
    await rig.session("s1");
    const order = { to: ANA, type: "text", message: "hola" };
    const sent = await client.sendMessage("s1", order, "key-1");
    expect(await client.sendMessage("s1", order, "key-1")).toEqual(sent);
    expect(await failureOf(client.sendMessage("s1", { ...order, message: "x" }, "key-1"))).toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
    expect(await client.disconnect("s1")).toMatchObject({ status: "disconnected" });
    expect(await client.logout("s1")).toMatchObject({ state: "logged_out" });
  });

  test("refuses a wrong key, and the key is in no text", async () => {
    const rig = await openHttpRig();
    const { client, log } = clientOf(rig.url);
    const error = await failureOf(client.sessions());
    expect(error).toMatchObject({ status: 401, code: "INVALID_API_KEY" });
    expect(JSON.stringify([error, error.message, String(error.cause)]) + log.text()).not.toContain("secret");
  });
});

describe("a server that", () => {
  type Respond = (response: ServerResponse) => unknown;

  async function open(answer: (request: IncomingMessage, turn: number) => Respond) {
    const requests: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      requests.push(request);
      request.resume();
      answer(request, requests.length)(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
    return { requests, ...clientOf(`${url}/`) };
  }
  const json =
    (status: number, body: object, headers: Record<string, string> = {}): Respond =>
    (response) => {
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body));
    };
  const refusal = (status: number, code: string, headers: Record<string, string> = {}) =>
    json(status, { success: false, error: "no", code }, headers);
  const sent = json(200, { success: true, data: { messageId: "3A", status: "sent" } });
  const noSessions = json(200, {
    success: true,
    data: { sessions: [], total: 0, latestSeq: 4, pagination: { nextCursor: null }, more: 1 },
    surprise: true,
  });
  const order = { to: ANA, type: "text", message: "hola" };

  test("is limited is asked again when it said", async () => {
    const { client, requests } = await open((_request, turn) =>
      turn === 1 ? refusal(429, "RATE_LIMIT_EXCEEDED", { "retry-after": "1" }) : noSessions,
    );
    const startedAt = performance.now();
    expect(await client.sessions()).toEqual([]);
    expect(performance.now() - startedAt).toBeGreaterThan(950);
    expect(requests).toHaveLength(2);
  });

  test("asks for more patience than there is, is told at once, with its own word", async () => {
    const { client, requests } = await open(() => refusal(503, "OVERLOADED", { "retry-after": "30" }));
    expect(await failureOf(client.sessions())).toMatchObject({
      status: 503,
      code: "OVERLOADED",
      retryAfterSeconds: 30,
    });
    expect(requests).toHaveLength(1);
  });

  test("drops a connection is asked again, also to send, under the same key", async () => {
    const { client, requests } = await open((_request, turn) =>
      turn === 1 ? (response) => response.destroy() : sent,
    );
    expect(await client.sendMessage("s1", order, "key-1")).toEqual({ messageId: "3A", status: "sent" });
    expect(requests.map(({ headers }) => headers["idempotency-key"])).toEqual(["key-1", "key-1"]);
  });

  test("still works on the first of two equal sends is waited for", async () => {
    const { client, requests } = await open((_request, turn) =>
      turn === 1 ? refusal(409, "IDEMPOTENCY_IN_PROGRESS", { "retry-after": "1" }) : sent,
    );
    await client.sendMessage("s1", order, "key-1");
    expect(requests).toHaveLength(2);
  });

  test("refuses for good is asked once", async () => {
    const { client, requests } = await open(() => refusal(422, "RECIPIENT_NOT_ON_WHATSAPP"));
    expect(await failureOf(client.sendMessage("s1", order, "key-1"))).toMatchObject({
      status: 422,
      code: "RECIPIENT_NOT_ON_WHATSAPP",
    });
    expect(requests).toHaveLength(1);
  });

  test.each<[string, Respond]>([
    ["is a proxy's page", (response) => response.writeHead(200).end("<html>")],
    ["is of another shape", json(200, { success: true, data: { sessions: "none" } })],
    ["redirects", (response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end()],
  ])("%s is not understood", async (_what, respond) => {
    const { client, requests } = await open(() => respond);
    await failureOf(client.sessions());
    expect(requests).toHaveLength(1);
  });

  test.each([
    ["counts what a session has is asked once", true],
    ["does not, because it is an older hub, is asked for its lists", false],
  ])("%s", async (_what, isNew) => {
    const status = { ...aHubSession({ sessionId: "s1" }), latestSeq: 7 };
    const listOf = (plural: string, total: number) =>
      json(200, {
        success: true,
        data: { [plural]: [], total, latestSeq: 9, pagination: { nextCursor: null } },
      });
    const { client, requests } = await open(({ url }) => {
      if (url?.includes("/contacts/") === true) return listOf("contacts", 12);
      if (url?.includes("/chats") === true) return listOf("chats", 3);
      const totals = { contacts: 5, chats: 4, messages: 9 };
      return json(200, { success: true, data: isNew ? { ...status, totals } : status });
    });
    expect(await client.session("s1")).toMatchObject({
      session: { sessionId: "s1" },
      totals: isNew ? { contacts: 5, chats: 4 } : { contacts: 12, chats: 3 },
      position: 7,
    });
    expect(requests.map(({ url }) => url).slice(1)).toEqual(
      isNew ? [] : ["/api/contacts/s1?limit=1", "/api/messages/s1/chats?limit=1"],
    );
  });

  test("sends one record that breaks the contract keeps the others", async () => {
    const { client, log } = await open(() =>
      json(200, {
        success: true,
        data: {
          contacts: [{ id: 7, name: "Ana" }],
          total: 1,
          latestSeq: 4,
          pagination: { nextCursor: null },
        },
      }),
    );
    expect(await client.contacts("s1", { limit: 5 })).toMatchObject({ items: [], position: 4 });
    expect(log.lines("hub.record_refused")).toHaveLength(1);
    expect(log.text()).not.toContain("Ana");
  });

  test("is asked with ids as they are, encoded", async () => {
    const { client, requests } = await open(() => refusal(404, "CHAT_NOT_FOUND"));
    await failureOf(client.messages("s 1/..", "+34 600?@c.us", { limit: 3, cursor: "a&b" }));
    expect(requests[0]?.url).toBe("/api/messages/s%201%2F../%2B34%20600%3F%40c.us?limit=3&cursor=a%26b");
    expect(requests[0]?.headers).toMatchObject({ "x-api-key": API_KEY, "user-agent": "InboxBridge/test" });
  });

  test("is not there is told after a few tries, without a secret", async () => {
    const { client, log } = clientOf("http://127.0.0.1:1");
    const error = await failureOf(client.sessions());
    expect(error).toMatchObject({ code: null, status: null });
    expect(error.message).toContain("ECONNREFUSED");
    expect(log.lines("hub.repeating")).toHaveLength(3);
    expect(JSON.stringify(error) + log.text()).not.toContain("secret");
  });

  test("makes a request wait does not keep a bridge from stopping", async () => {
    const { client, log } = await open(() => refusal(503, "OVERLOADED", { "retry-after": "15" }));
    const waiting = failureOf(client.sessions());
    await until("the request waits", () => log.lines("hub.repeating").length === 1);
    await client.close();
    expect(await waiting).toBeInstanceOf(HubUnavailable);
  });
});
