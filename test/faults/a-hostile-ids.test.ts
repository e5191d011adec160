/** A7: ids that try to leave their place: refused, and no file is touched. */
import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { openHttpRig, rawCall } from "../support/http-rig.ts";

const HOSTILE = [
  "..%2f..%2f..%2fetc%2fpasswd",
  "%2e%2e%2f%2e%2e%2fhub.db",
  "..%5c..%5cwindows",
  "%00",
  "med_00000000000000000000000000%00.png",
  "CON",
  "%EF%BC%8E%EF%BC%8E%EF%BC%8F",
  "%E2%80%AE",
  "%F0%9F%92%A9",
  "a".repeat(3_000),
  "%C0%AE%C0%AE%2F",
  "';DROP TABLE message;--",
  "__proto__",
];

test("A7: traversal, NUL, unicode and SQL as ids answer 400 or 404 and leave the disk alone", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const before = await readdir(rig.dir, { recursive: true });
  const paths = (id: string): [string, string][] => [
    ["GET", `/m/${id}`],
    ["GET", `/api/media/${id}`],
    ["DELETE", `/api/media/${id}`],
    ["GET", `/api/sessions/${id}`],
    ["DELETE", `/api/sessions/${id}`],
    ["GET", `/api/messages/s1/${id}`],
    ["GET", `/api/messages/s1/${id}/media`],
    ["GET", `/api/contacts/s1/info/${id}`],
    ["GET", `/api/events/${id}`],
    ["GET", `/api/deliveries/${id}`],
  ];
  for (const id of HOSTILE) {
    for (const [method, path] of paths(id)) {
      const answer = await rig.call(method, path);
      expect([400, 404], `${method} ${path} → ${answer.status}`).toContain(answer.status);
      expect(answer.text).not.toMatch(/root:|hub\.db|ENOENT|node_modules|SQLITE/);
    }
  }
  expect(await readdir(rig.dir, { recursive: true })).toEqual(before);
  expect((await rig.get("/api/sessions/s1/status")).status).toBe(200);
});

test("A7: paths that are not tidied by the client do not climb either", async () => {
  const rig = await openHttpRig();
  for (const path of [
    "/m/../../../etc/passwd",
    "/../../etc/passwd",
    "/api/media/../../hub.db",
    "//etc/passwd",
    "/./././health/../../x",
  ]) {
    const answer = await rawCall(rig, [
      `GET ${path} HTTP/1.1\r\nHost: hub\r\nX-API-Key: ${rig.key}\r\nConnection: close\r\n\r\n`,
    ]);
    expect([path, /^HTTP\/1\.1 (400|404)/.test(answer)]).toEqual([path, true]);
    expect(answer).not.toContain("root:");
  }
});

test("A7: search takes whatever is typed as words, never as a query language", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  for (const words of [
    "'",
    '"',
    "%",
    "_",
    "*",
    "a OR 1=1",
    "NEAR(a b)",
    "col:x",
    "-a",
    '"unclosed',
    "\\",
    "🦊",
    "\u0000",
    "(",
    "^",
  ]) {
    for (const path of ["/api/messages/s1", "/api/messages/s1/chats", "/api/contacts/s1", "/api/sessions"]) {
      const answer = await rig.get(`${path}?search=${encodeURIComponent(words)}`);
      expect([words, path, answer.status]).toEqual([words, path, 200]);
    }
  }
});
