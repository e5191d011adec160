/** Access tokens: whose they are, what they are good for, and what is none. */
import { createHmac, generateKeyPairSync } from "node:crypto";
import jwt from "jsonwebtoken";
import { describe, expect, test } from "vitest";
import { SCOPES } from "../../hub/core/api-key.ts";
import { createSignIn } from "../../hub/http/sign-in.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";
import { openHttpRig, recordOf } from "../support/http-rig.ts";
import { aPerson, bearing, codeOf, FINE, INVALID, profile } from "../support/people.ts";

describe("an access token", () => {
  test("is good for a quarter of an hour, and says so when that is over", async () => {
    const rig = await openHttpRig();
    const { accessToken } = await aPerson(rig);
    rig.clock.advance(minutes(15) - seconds(1));
    expect(await profile(rig, accessToken)).toEqual(FINE);
    rig.clock.advance(seconds(1));
    const over = await rig.get("/api/auth/profile", bearing(accessToken));
    expect([...codeOf(over), over.json["details"]]).toEqual([...INVALID, { reason: "expired" }]);
    const refusals = (await rig.store.audit.list({ limit: 10, page: 1 })).items.filter(
      ({ outcome }) => outcome === "refused",
    );
    expect(refusals).toEqual([]);
  });

  test("that was made by anybody else is refused", async () => {
    const rig = await openHttpRig();
    const { accessToken } = await aPerson(rig);
    const sealed = await rig.store.users.tokenSecret();
    const key = Buffer.from(rig.ctx.cipher.open("token_secret", sealed ?? new Uint8Array()));
    const [head = "", body = "", mac = ""] = accessToken.split(".");
    const claims = recordOf(JSON.parse(Buffer.from(body, "base64url").toString()));
    expect(claims).toMatchObject({ iss: "inbox-hub", aud: "hub-api", exp: Number(claims["iat"]) + 900 });
    expect(claims["jti"]).toMatch(/^[\w-]{22}$/);
    const text = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    /** With the right secret, so that each is wrong in one thing alone. */
    const made = (change: object, header: object = {}): string => {
      const signed = `${text({ alg: "HS256", typ: "at+jwt", ...header })}.${text({ ...claims, ...change })}`;
      return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
    };
    expect(await profile(rig, made({}))).toEqual(FINE);
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const wrong: Record<string, string> = {
      none: `${text({ alg: "none", typ: "at+jwt" })}.${body}.`,
      "none in other letters": `${text({ alg: "nOnE", typ: "at+jwt" })}.${body}.${mac}`,
      "another algorithm": jwt.sign(claims, key, {
        algorithm: "HS512",
        header: { alg: "HS512", typ: "at+jwt" },
      }),
      RS256: jwt.sign(claims, privateKey, { algorithm: "RS256", header: { alg: "RS256", typ: "at+jwt" } }),
      "another secret": jwt.sign(claims, "s".repeat(32), { header: { alg: "HS256", typ: "at+jwt" } }),
      "another issuer": made({ iss: "somebody" }),
      "another audience": made({ aud: "realtime" }),
      "several audiences": made({ aud: ["hub-api", "other"] }),
      "another type": made({}, { typ: "JWT" }),
      "a key id": made({}, { kid: "../../dev/null" }),
      "a key of its own": made({}, { jwk: { kty: "oct", k: "AAAA" } }),
      "no end": made({ exp: undefined }),
      "an end as text": made({ exp: String(claims["exp"]) }),
      "too long a life": made({ exp: Number(claims["iat"]) + 901 }),
      "an id left out": made({ jti: undefined }),
      "another user": made({ sub: `usr_${"0".repeat(26)}` }),
      "another sign-in": made({ sid: `sgn_${"0".repeat(26)}` }),
      "a claim more": made({ scopes: SCOPES }),
      "another body": `${head}.${text({ ...claims, sub: `usr_${"0".repeat(26)}` })}.${mac}`,
      "no signature": `${head}.${body}.`,
      "no token": "abc",
      "a very long one": "a".repeat(8_000),
      "an API key": rig.key,
    };
    for (const [what, token] of Object.entries(wrong))
      expect([what, ...(await profile(rig, token))]).toEqual([what, ...INVALID]);
    for (const header of ["Bearer", "Bearer  ", "bearer "])
      expect(
        codeOf(await rig.get("/api/sessions", { key: null, headers: { Authorization: header } })),
      ).toEqual([401, "MISSING_TOKEN"]);
    const basic = { key: null, headers: { Authorization: "Basic YTpi" } };
    expect(codeOf(await rig.get("/api/sessions", basic))).toEqual([401, "MISSING_API_KEY"]);
  });

  test("beside a key is not looked at: the key decides alone", async () => {
    const rig = await openHttpRig();
    const { accessToken } = await aPerson(rig);
    const both = (key: string, token: string) => ({ key, headers: { Authorization: `Bearer ${token}` } });
    expect(codeOf(await rig.get("/api/sessions", both(rig.key, "rubbish")))).toEqual(FINE);
    expect(codeOf(await rig.get("/api/sessions", both("rubbish", accessToken)))).toEqual([
      401,
      "INVALID_API_KEY",
    ]);
    expect(codeOf(await rig.get("/api/auth/profile", both(rig.key, accessToken)))).toEqual([
      403,
      "AUTHORIZATION_FAILED",
    ]);
  });

  test("follows what its user may do at once, and ends with the user", async () => {
    const rig = await openHttpRig();
    const { id, accessToken } = await aPerson(rig, { scopes: ["read"] });
    const orders = () => rig.post("/api/sessions", { sessionId: "s1" }, bearing(accessToken)).then(codeOf);
    expect(await orders()).toEqual([403, "AUTHORIZATION_FAILED"]);
    await rig.put(`/api/users/${id}`, { scopes: ["read", "admin"] });
    expect(await orders()).toEqual([201, undefined]);
    await rig.put(`/api/users/${id}`, { disabled: true });
    expect(await orders()).toEqual(INVALID);
    await rig.put(`/api/users/${id}`, { disabled: false });
    expect(await orders()).toEqual(INVALID);
  });

  test("of one life of the hub is good in the next", async () => {
    const rig = await openHttpRig();
    const { accessToken } = await aPerson(rig);
    const { store, ctx, clock } = rig;
    const again = await createSignIn({ store, cipher: ctx.cipher, clock, log: ctx.log });
    expect((await again.identify(accessToken)).user.identifier).toBe("ana");
    // Where the secret cannot be opened, there is a new one.
    const cipher = {
      ...ctx.cipher,
      open: () => {
        throw new Error("damaged");
      },
    };
    const other = await createSignIn({ store, cipher, clock, log: ctx.log });
    await expect(other.identify(accessToken)).rejects.toMatchObject({ code: "INVALID_TOKEN" });
    expect(rig.logged()).toContain("auth.token_secret_replaced");
  });
});
