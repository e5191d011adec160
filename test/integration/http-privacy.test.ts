/** What the surface never tells: not in answers, not in headers, not in the log. */
import { expect, test } from "vitest";
import { aMessageFact } from "../support/builders.ts";
import { listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

test("every answer has a request id and the headers that keep browsers from running it", async () => {
  const rig = await openHttpRig();
  const ids = new Set<string>();
  for (const path of ["/health", "/api/sessions", "/api/nothing", "/m/short", "/docs"]) {
    const { headers } = await rig.get(path);
    ids.add(headers.get("x-request-id") ?? "");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
    expect(headers.get("x-powered-by")).toBeNull();
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("etag")).toBeNull();
  }
  expect(ids.size).toBe(5);
});

test("the log has one line per request with the route's pattern: no query, no body, no key, no phone number", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const jid = "34600111222@s.whatsapp.net";
  await rig.tell("s1", { kind: "contact", jid, change: { pushName: "Ana" }, live: true });
  await rig.tell("s1", aMessageFact({ chatId: jid, content: "secret words" }));
  await rig.get("/api/contacts/s1/info/+34600111222?search=hidden");
  await rig.get("/api/messages/s1/34600111222@c.us");
  await rig.post("/api/messages/s1/send", { to: "34600111222", type: "text", message: "private text" });
  await rig.get(`/api/sessions?api_key=${rig.key}`);
  await rig.get("/nowhere/34600111222");
  const answered = (): string[] =>
    rig
      .logged()
      .split("\n")
      .filter((line) => line.includes('"http.answered"'));
  await until("five lines", () => answered().length === 5);
  const lines = answered();
  expect(lines.map((line) => recordOf(JSON.parse(line))["route"])).toEqual([
    "/api/contacts/{sessionId}/info/{contactId}",
    "/api/messages/{sessionId}/{chatId}",
    "/api/messages/{sessionId}/send",
    "/api/sessions",
    "none",
  ]);
  expect(lines[0]).toMatch(/"requestId":"req_\w+".*"method":"GET".*"status":200,"ms":\d+/);
  for (const secret of ["34600111222", "hidden", "secret words", "private text", rig.key, "x-api-key"])
    expect(rig.logged()).not.toContain(secret);
});

test("a failure inside says nothing of the inside, and its request id leads to the log", async () => {
  const rig = await openHttpRig({
    change: (ctx) => ({
      ...ctx,
      store: {
        ...ctx.store,
        inbox: {
          ...ctx.store.inbox,
          chats: () => Promise.reject(new Error("SQLITE_IOERR at /var/lib/hub/hub.db")),
        },
      },
    }),
  });
  await rig.session("s1");
  const answer = await rig.get("/api/messages/s1/chats");
  expect([answer.status, answer.json["code"]]).toEqual([500, "INTERNAL_ERROR"]);
  expect(answer.text).not.toMatch(/SQLITE|hub\.db|\/var|\.ts|at /);
  const id = answer.headers.get("x-request-id") ?? "?";
  const line = rig
    .logged()
    .split("\n")
    .find((text) => text.includes("http.failed"));
  expect(line).toContain(id);
  expect(line).toContain("SQLITE_IOERR");
});

test("error texts avoid the words that clients branch on", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const texts: string[] = [];
  for (const [method, path, body] of [
    ["GET", "/api/sessions/nobody"],
    ["GET", "/api/messages/s1/3A/media"],
    ["POST", "/api/messages/s1/send", {}],
    ["POST", "/api/messages/s1/send", { to: "34600111222", type: "text" }],
    ["POST", "/api/messages/s1/send", { to: "34600111222", type: "text", message: "" }],
    ["POST", "/api/messages/s1/send", { to: "x", type: "text", message: "hola" }],
    ["POST", "/api/sessions", {}],
    ["GET", "/api/contacts/s1/info/34600000000"],
    ["GET", "/api/sessions/s1/qr?wait=0"],
  ] as const) {
    const answer = await rig.call(method, path, body === undefined ? {} : { body });
    expect([path, answer.status >= 400]).toEqual([path, true]);
    expect([typeof answer.json["error"], typeof answer.json["message"]]).toEqual(["string", "string"]);
    texts.push(answer.text);
  }
  for (const word of [
    "isDeleted",
    "does not exist",
    "content is required",
    "message content",
    "rate limit",
    "429",
    "QR_GENERATION_ERROR",
  ])
    expect(texts.join("\n")).not.toContain(word);
});

test("a hub that stops lets waiting readers go and refuses what is new", async () => {
  const stopping = new AbortController();
  let waiters = 0;
  const rig = await openHttpRig({
    change: (ctx) => ({
      ...ctx,
      stopping: stopping.signal,
      nudge: {
        ...ctx.nudge,
        onRing: (listener) => {
          waiters++;
          return ctx.nudge.onRing(listener);
        },
      },
    }),
  });
  await rig.session("s1");
  const { data } = await rig.get("/api/events?after=latest");
  const waiting = rig.get(`/api/events?after=${String(data["latestSeq"])}&wait=25`);
  await until("it waits", () => waiters > 0);
  stopping.abort();
  expect(listIn((await waiting).data, "events")).toEqual([]);
  const refused = await rig.get("/api/sessions");
  expect([refused.status, refused.json["code"], refused.headers.get("retry-after")]).toEqual([
    503,
    "SHUTTING_DOWN",
    "5",
  ]);
  expect((await rig.get("/readyz")).status).toBe(503);
  expect((await rig.get("/livez")).status).toBe(200);
  const started = performance.now();
  await rig.server.stop();
  expect(performance.now() - started).toBeLessThan(5_500);
});
