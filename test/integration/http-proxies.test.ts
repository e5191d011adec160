/** A hub behind a proxy that it trusts: people, keys and the machine's own calls are told apart. */
import { expect, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { createOrigins } from "../../hub/http/origins.ts";
import { createSignIn } from "../../hub/http/sign-in.ts";
import { logBook } from "../support/log-book.ts";
import { openHttpRig } from "../support/http-rig.ts";

const PASSWORD = "correct horse battery";
const behindProxy = () =>
  openHttpRig({ change: (ctx) => ({ ...ctx, origins: createOrigins(["127.0.0.1/32"]) }) });
const through = (address: string) => ({ "X-Forwarded-For": address });

test("a stranger who tries passwords locks out himself, not everybody", async () => {
  const rig = await behindProxy();
  const user = { identifier: "ana", password: PASSWORD, scopes: ["read"], sessions: "*" };
  expect((await rig.post("/api/users", user)).status).toBe(201);
  const logIn = async (address: string, identifier: string, password: string): Promise<number> => {
    const answer = await rig.post(
      "/api/auth/login",
      { identifier, password },
      { key: null, headers: through(address) },
    );
    return answer.status;
  };
  for (let n = 0; n < 30; n++) expect(await logIn("198.51.100.7", `user${n}`, "wrong")).toBe(401);
  expect(await logIn("198.51.100.7", "another", "wrong")).toBe(429);
  expect(await logIn("203.0.113.8, 198.51.100.7", "another", "wrong")).toBe(429);
  expect(await logIn("203.0.113.8", "ana", PASSWORD)).toBe(200);
});

test("strangers who try one account from everywhere lock it for strangers, not where its owner came in before, over a restart too", async () => {
  const rig = await behindProxy();
  const user = { identifier: "ana", password: PASSWORD, scopes: ["read"], sessions: "*" };
  expect((await rig.post("/api/users", user)).status).toBe(201);
  const logIn = async (address: string, password: string): Promise<number> => {
    const headers = through(address);
    return (await rig.post("/api/auth/login", { identifier: "ana", password }, { key: null, headers }))
      .status;
  };
  expect(await logIn("203.0.113.8", PASSWORD)).toBe(200);
  for (let n = 0; n < 30; n++) expect(await logIn(`198.51.100.${n}`, "wrong")).toBe(401);
  expect(await logIn("198.51.100.200", PASSWORD)).toBe(429);
  expect(await logIn("203.0.113.8", PASSWORD)).toBe(200);

  const { store, ctx, clock } = rig;
  const again = await createSignIn({ store, cipher: ctx.cipher, clock, log: logBook() });
  const from = (address: string, password: string) =>
    again.login({ identifier: "ana", password, address }).then(
      () => "in",
      (error: unknown) => (error instanceof HubError ? error.code : error),
    );
  await Promise.all(Array.from({ length: 31 }, (_, n) => from(`198.51.100.${n}`, "wrong")));
  expect(await from("198.51.100.200", PASSWORD)).toBe("RATE_LIMIT_EXCEEDED");
  expect(await from("203.0.113.8", PASSWORD)).toBe("in");
});

test("a key limited to address ranges is valid for who stands there, and for nobody who only says so", async () => {
  const rig = await behindProxy();
  const key = await rig.makeKey({ allowedCidrs: ["203.0.113.0/24"] });
  const codeFrom = async (headers: Record<string, string>): Promise<number> =>
    (await rig.get("/api/sessions", { key, headers })).status;
  expect(await codeFrom(through("203.0.113.8"))).toBe(200);
  expect(await codeFrom(through("203.0.113.8, 198.51.100.7"))).toBe(401);
  expect(await codeFrom(through("unknown"))).toBe(401);
  const nearby = await rig.makeKey({ allowedCidrs: ["127.0.0.0/8"] });
  expect((await rig.get("/api/sessions", { key: nearby })).status).toBe(401);
});

test("a call through a proxy that adds no header is not taken for this machine's own", async () => {
  const rig = await behindProxy();
  for (const path of ["/metrics", "/readyz", "/docs", "/openapi.json"]) {
    expect([path, (await rig.get(path, { key: null })).status]).toEqual([path, 401]);
    expect([path, (await rig.get(path)).status]).toEqual([path, 200]);
  }
  expect((await rig.get("/health", { key: null })).status).toBe(200);
});
