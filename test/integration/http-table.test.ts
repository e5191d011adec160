/** Every route of the table, asked by everybody who may not: nobody learns anything. */
import { describe, expect, test } from "vitest";
import { SCOPES, type Scope } from "../../hub/core/api-key.ts";
import { allRoutes } from "../../hub/http/routes/index.ts";
import type { Route } from "../../hub/http/route.ts";
import { openHttpRig, recordOf, type Answered } from "../support/http-rig.ts";

const SAMPLES: Record<string, string> = {
  sessionId: "s1",
  chatId: "34600111222@c.us",
  contactId: "+34600111222",
  phone: "34600111222",
  messageId: "3EB0A1B2C3",
  mediaId: `med_${"0".repeat(26)}`,
  endpointId: `ep_${"0".repeat(26)}`,
  deliveryId: `dlv_${"0".repeat(26)}`,
  job: `job_${"0".repeat(26)}`,
  keyId: `key_${"0".repeat(26)}`,
  userId: `usr_${"0".repeat(26)}`,
  eventId: `evt_${"0".repeat(26)}`,
  token: "A".repeat(22),
};

const namesIn = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
const filled = (path: string, ids: Record<string, string> = {}): string =>
  path.replace(/\{(\w+)\}/g, (_all, name: string) => ids[name] ?? SAMPLES[name] ?? "?");
const nameOf = ({ method, path }: Route): string => `${method.toUpperCase()} ${path}`;

const keyed = allRoutes.filter(({ scope }) => scope !== "open");
const isScope = (scope: string): scope is Scope => SCOPES.some((known) => known === scope);
/** Calls from this machine are let in where the table says so; a proxy's are not. */
const FROM_AFAR = { "X-Forwarded-For": "203.0.113.9" };

/** Everything but what is different in every answer. */
const sameness = ({ status, json }: Answered): unknown => ({ ...json, status, timestamp: "any" });

describe("the table of routes", () => {
  test("names each route once, with a scope or an explicit word, and a schema for every id in its path", () => {
    const names = allRoutes.map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    for (const route of allRoutes) {
      expect([...SCOPES, "open", "local or read", "person"], nameOf(route)).toContain(route.scope);
      expect(Object.keys(route.params.shape).sort(), nameOf(route)).toEqual(namesIn(route.path).sort());
      expect(Object.keys(SAMPLES), nameOf(route)).toEqual(expect.arrayContaining(namesIn(route.path)));
    }
  });

  test("checks the session before anything else wherever one is in the path", () => {
    const unchecked = allRoutes.filter(({ path, inSession }) => path.includes("{sessionId}") && !inSession);
    // Connecting brings back a session deleted a short while ago: it has a check of its own.
    expect(unchecked.map(nameOf)).toEqual(["POST /api/sessions/{sessionId}/connect"]);
  });

  test("changes nothing by GET", () => {
    const changing =
      /\/(connect|disconnect|restart|logout|rotate|pause|resume|replay|dismiss|send|retry|forward|react|read)$/;
    expect(
      allRoutes.filter(({ method, path }) => method === "get" && changing.test(path)).map(nameOf),
    ).toEqual([]);
  });
});

test("without a key, with a wrong key or with a key in the URL every keyed route answers 401", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  for (const route of keyed) {
    const path = filled(route.path);
    const none = await rig.call(route.method.toUpperCase(), path, { key: null, headers: FROM_AFAR });
    const missing = route.scope === "person" ? "MISSING_TOKEN" : "MISSING_API_KEY";
    expect([nameOf(route), none.status, none.json["code"]]).toEqual([nameOf(route), 401, missing]);
    const wrong = await rig.call(route.method.toUpperCase(), path, {
      key: `ihk_${"x".repeat(52)}`,
      headers: FROM_AFAR,
    });
    expect([nameOf(route), wrong.status, wrong.json["code"]]).toEqual([
      nameOf(route),
      401,
      "INVALID_API_KEY",
    ]);
    const inUrl = await rig.call(route.method.toUpperCase(), `${path}?api_key=${rig.key}`, {
      headers: FROM_AFAR,
    });
    expect([nameOf(route), inUrl.status, inUrl.json["code"]]).toEqual([
      nameOf(route),
      401,
      "INVALID_API_KEY",
    ]);
  }
  expect(rig.logged()).not.toContain(rig.key);
});

test("a key that lacks a route's scope is refused with 403, and no scope stands for another", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  for (const scope of SCOPES) {
    const without = await rig.makeKey({ scopes: SCOPES.filter((other) => other !== scope) });
    const needing = keyed.filter(
      (route) => route.scope !== "person" && (isScope(route.scope) ? route.scope : "read") === scope,
    );
    for (const route of needing) {
      const answer = await rig.call(route.method.toUpperCase(), filled(route.path), {
        key: without,
        headers: FROM_AFAR,
      });
      expect([nameOf(route), answer.status, answer.json["code"]]).toEqual([
        nameOf(route),
        403,
        "AUTHORIZATION_FAILED",
      ]);
      expect(recordOf(answer.json["details"])).toEqual({ scope });
    }
  }
});

test("a foreign session answers exactly like one that is not there, by name and by number", async () => {
  const rig = await openHttpRig();
  const { id } = await rig.session("s1");
  await rig.session("mine", { phoneNumber: "34600777666" });
  const limited = await rig.makeKey({ sessions: ["mine"] });
  for (const route of keyed.filter(({ path }) => path.includes("{sessionId}"))) {
    const ask = (sessionId: string) =>
      rig.call(route.method.toUpperCase(), filled(route.path, { sessionId }), { key: limited });
    const unknown = sameness(await ask("nobody"));
    expect(unknown, nameOf(route)).toMatchObject({ status: 404, code: "SESSION_NOT_FOUND" });
    expect(sameness(await ask("s1")), nameOf(route)).toEqual(unknown);
    expect(sameness(await ask(String(id))), nameOf(route)).toEqual(unknown);
    expect(sameness(await ask("999")), nameOf(route)).toEqual(unknown);
  }
});

test("ids that cannot be ids are refused before anything looks for them", async () => {
  const rig = await openHttpRig();
  await rig.session("s1");
  const hostile = [
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "a%00b",
    "CON%3A",
    "s1%2e%2e",
    "x".repeat(3000),
    "%E2%80%AE%EF%BC%8E",
    "%ff",
    "%zz",
    "s1'--",
    "__proto__%20",
  ];
  for (const route of keyed.filter(({ path }) => path.includes("{"))) {
    for (const name of namesIn(route.path)) {
      for (const id of hostile) {
        const answer = await rig.call(route.method.toUpperCase(), filled(route.path, { [name]: id }));
        expect([400, 404], `${nameOf(route)} ${name}=${id} → ${answer.text}`).toContain(answer.status);
        expect(answer.text).not.toMatch(/node_modules|\.ts\b|at |SQLITE|\/tmp\//);
      }
    }
  }
}, 120_000);

test("a known path asked with another method says which ones it has; an unknown path is 404", async () => {
  const rig = await openHttpRig();
  const wrong = await rig.call("PATCH", "/api/sessions");
  expect([wrong.status, wrong.json["code"], wrong.headers.get("allow")]).toEqual([
    405,
    "METHOD_NOT_ALLOWED",
    "GET, POST",
  ]);
  for (const method of ["OPTIONS", "TRACE", "PUT"].filter((name) => name !== "TRACE"))
    expect((await rig.call(method, "/health")).status).toBe(405);
  const nowhere = await rig.get("/api/nothing/here");
  expect([nowhere.status, nowhere.json["code"]]).toEqual([404, "NOT_FOUND"]);
});
