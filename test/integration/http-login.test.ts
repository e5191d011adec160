/** People log in, stay in and go out: what lets them in, what does not, and how it ends. */
import { describe, expect, test } from "vitest";
import { userSchema } from "../../hub/contract/administration.ts";
import { hours, seconds } from "../support/fixed-clock.ts";
import { isExactly, listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import {
  aPerson,
  addUser,
  bearing,
  codeOf,
  FAILED,
  FINE,
  INVALID,
  logIn,
  PASSWORD,
  profile,
  refresh,
} from "../support/people.ts";

describe("a login", () => {
  test("gives a token that does and sees what the user may, on every route", async () => {
    const rig = await openHttpRig();
    await rig.session("mine");
    await rig.session("other", { phoneNumber: "34600777666" });
    const id = await addUser(rig, { scopes: ["read"], sessions: ["mine"] });
    const answer = await logIn(rig, PASSWORD, "  ANA ");
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const { user, accessToken, refreshToken, ...rest } = answer.data;
    isExactly(userSchema, user);
    expect([recordOf(user)["id"], rest]).toEqual([id, { expiresIn: 900 }]);
    expect(String(refreshToken)).toMatch(/^ihr_[0-9A-Za-z]{43}$/);
    const token = bearing(String(accessToken));
    expect(listIn((await rig.get("/api/sessions", token)).data, "sessions")).toMatchObject([
      { sessionId: "mine" },
    ]);
    expect(codeOf(await rig.get("/api/sessions/other", token))).toEqual([404, "SESSION_NOT_FOUND"]);
    const refused = await rig.post("/api/sessions/mine/disconnect", {}, token);
    expect([...codeOf(refused), refused.json["details"]]).toEqual([
      403,
      "AUTHORIZATION_FAILED",
      { scope: "admin" },
    ]);
    expect((await rig.get("/api/auth/profile", token)).data).toEqual({ user });
    expect((await rig.get("/api/sessions", token)).headers.get("ratelimit-limit")).toBe("1800");
  });

  test("fails in the same words for a wrong password, an unknown user and one who is disabled", async () => {
    const rig = await openHttpRig();
    const id = await addUser(rig);
    const wrong = await logIn(rig, "correct horse battery.");
    const unknown = await logIn(rig, PASSWORD, "nobody");
    await rig.put(`/api/users/${id}`, { disabled: true });
    const disabled = await logIn(rig);
    const texts = [wrong, unknown, disabled].map(({ json }) => [
      json["code"],
      json["error"],
      json["details"],
    ]);
    expect(new Set(texts.map((text) => JSON.stringify(text))).size).toBe(1);
    expect(codeOf(wrong)).toEqual(FAILED);
    await rig.put(`/api/users/${id}`, { disabled: false });
    expect(codeOf(await logIn(rig))).toEqual(FINE);
  });

  test("is tried five times a minute, then locked for one minute, two, four …, whatever headers say", async () => {
    const rig = await openHttpRig();
    await addUser(rig);
    await addUser(rig, {}, "eva");
    for (let n = 0; n < 5; n++) expect(codeOf(await logIn(rig, "wrong"))).toEqual(FAILED);
    const locked = async (password = PASSWORD): Promise<unknown[]> => {
      const headers = { "X-Forwarded-For": `203.0.113.${rig.clock.now().getTime() % 250}` };
      const body = { identifier: "ana", password };
      const answer = await rig.post("/api/auth/login", body, { key: null, headers });
      return [answer.status, answer.headers.get("retry-after")];
    };
    expect(await locked()).toEqual([429, "60"]);
    rig.clock.advance(seconds(59));
    expect(await locked()).toEqual([429, "1"]);
    rig.clock.advance(seconds(1));
    expect(await locked("wrong")).toEqual([401, null]);
    expect(await locked()).toEqual([429, "120"]);
    // Others are not locked out with them.
    expect(codeOf(await logIn(rig, PASSWORD, "eva"))).toEqual(FINE);
    rig.clock.advance(seconds(120));
    expect(await locked()).toEqual([200, null]);
    for (let n = 0; n < 5; n++) expect(codeOf(await logIn(rig, "wrong"))).toEqual(FAILED);
  });

  test("is not tried with one name after another, nor from everywhere for one name", async () => {
    const rig = await openHttpRig();
    await addUser(rig);
    const { signIn } = rig.ctx;
    const tried = async (identifier: string, address: string): Promise<unknown> =>
      signIn.login({ identifier, password: "wrong", address }).then(
        () => "in",
        (error: unknown) => recordOf(error)["code"],
      );
    for (let n = 0; n < 30; n++)
      expect(await tried(`user${n}`, "198.51.100.7")).toBe("AUTHENTICATION_FAILED");
    expect(await tried("another", "::ffff:198.51.100.7")).toBe("RATE_LIMIT_EXCEEDED");
    for (let n = 0; n < 30; n++)
      expect(await tried("ana", `2001:db8:0:${n}::1`)).toBe("AUTHENTICATION_FAILED");
    expect(await tried("ana", "203.0.113.1")).toBe("RATE_LIMIT_EXCEEDED");
    // One household is one address.
    for (let n = 0; n < 5; n++) await tried("eva", `2001:db8:1:1::${n}`);
    expect(await tried("eva", "2001:db8:1:1:ffff::9")).toBe("RATE_LIMIT_EXCEEDED");
  });

  test("leaves no password and no token in the log, in the audit log or on the disk", async () => {
    const rig = await openHttpRig();
    const { accessToken, refreshToken } = await aPerson(rig);
    await logIn(rig, "a wrong password");
    await refresh(rig, "ihr_made-up");
    await rig.get(`/api/sessions?access_token=${accessToken}`, { key: null });
    const kept = JSON.stringify([
      await rig.store.users.list(),
      (await rig.store.audit.list({ limit: 100, page: 1 })).items,
    ]);
    for (const secret of [PASSWORD, "a wrong password", "ihr_", accessToken, refreshToken]) {
      expect(rig.logged()).not.toContain(secret);
      expect(kept).not.toContain(secret);
    }
    expect(kept).not.toContain(Buffer.from(PASSWORD).toString("base64"));
  });

  test("and a logout are in the audit log with who it was; so are refusals", async () => {
    const rig = await openHttpRig();
    const { id, accessToken } = await aPerson(rig);
    await logIn(rig, "wrong");
    await rig.post("/api/auth/logout", {}, bearing(accessToken));
    const rows = (await rig.store.audit.list({ limit: 10, page: 1 })).items.reverse();
    expect(
      rows.map(({ actor, actorName, action, outcome }) => [actor, actorName, action, outcome]).slice(1),
    ).toEqual([
      [id, "ana", "POST /api/auth/login", "done"],
      ["nobody", null, "POST /api/auth/login", "refused"],
      [id, "ana", "POST /api/auth/logout", "done"],
    ]);
  });
});

describe("a refresh token", () => {
  test("gives new tokens once a time, for a week after the last", async () => {
    const rig = await openHttpRig();
    let { refreshToken } = await aPerson(rig);
    for (let day = 0; day < 3; day++) {
      rig.clock.advance(hours(6 * 24));
      const { status, data } = await refresh(rig, refreshToken);
      expect([status, await profile(rig, String(data["accessToken"]))]).toEqual([200, FINE]);
      refreshToken = String(data["refreshToken"]);
    }
    rig.clock.advance(hours(7 * 24));
    expect(codeOf(await refresh(rig, refreshToken))).toEqual(INVALID);
  });

  test("that comes a second time ends the login for whoever has the other one, and is told", async () => {
    const rig = await openHttpRig();
    const { id, refreshToken } = await aPerson(rig);
    const { data } = await refresh(rig, refreshToken);
    expect(codeOf(await refresh(rig, refreshToken))).toEqual(INVALID);
    expect(await profile(rig, String(data["accessToken"]))).toEqual(INVALID);
    expect(codeOf(await refresh(rig, String(data["refreshToken"])))).toEqual(INVALID);
    const { items } = await rig.store.audit.list({ limit: 10, page: 1 });
    expect(items).toContainEqual(
      expect.objectContaining({ actor: "hub", action: "auth.refresh_token_reused", target: id }),
    );
    expect(codeOf(await logIn(rig))).toEqual(FINE);
  });

  test("is nothing to send in the URL, or as an access token", async () => {
    const rig = await openHttpRig();
    const { refreshToken } = await aPerson(rig);
    expect(codeOf(await rig.get(`/api/sessions?x=${refreshToken}`, { key: null }))).toEqual([
      401,
      "INVALID_API_KEY",
    ]);
    expect(await profile(rig, refreshToken)).toEqual(INVALID);
  });
});

describe("a logout", () => {
  test("ends one login at once, by either token, and may be repeated", async () => {
    const rig = await openHttpRig();
    const one = await aPerson(rig);
    const other = (await logIn(rig)).data;
    expect((await rig.post("/api/auth/logout", {}, bearing(one.accessToken))).data).toEqual({
      loggedOut: true,
    });
    expect(await profile(rig, one.accessToken)).toEqual(INVALID);
    expect(codeOf(await refresh(rig, one.refreshToken))).toEqual(INVALID);
    expect(await profile(rig, String(other["accessToken"]))).toEqual(FINE);
    // Its access token may be over by then.
    rig.clock.advance(hours(1));
    const body = { refreshToken: String(other["refreshToken"]) };
    for (let n = 0; n < 2; n++)
      expect(codeOf(await rig.post("/api/auth/logout", body, { key: null }))).toEqual(FINE);
    expect(codeOf(await refresh(rig, body.refreshToken))).toEqual(INVALID);
    expect(codeOf(await rig.post("/api/auth/logout", {}, { key: null }))).toEqual([401, "MISSING_TOKEN"]);
  });
});

describe("a new password", () => {
  test("is set by whoever knows the old one, and ends all other logins", async () => {
    const rig = await openHttpRig();
    const { id, accessToken } = await aPerson(rig);
    const other = String((await logIn(rig)).data["accessToken"]);
    const changes = (currentPassword: string, newPassword: string) =>
      rig.post("/api/auth/change-password", { currentPassword, newPassword }, bearing(accessToken));
    expect(codeOf(await changes("wrong", "another good password"))).toEqual(FAILED);
    const short = await changes(PASSWORD, "short");
    expect([...codeOf(short), recordOf(short.json["details"])["fields"]]).toEqual([
      400,
      "VALIDATION_ERROR",
      [{ path: "newPassword", problem: "use 12 to 200 characters" }],
    ]);
    expect(codeOf(await changes(PASSWORD, "another good password"))).toEqual(FINE);
    expect([await profile(rig, accessToken), await profile(rig, other)]).toEqual([FINE, INVALID]);
    expect(codeOf(await logIn(rig))).toEqual(FAILED);
    expect(codeOf(await logIn(rig, "another good password"))).toEqual(FINE);
    const { items } = await rig.store.audit.list({ limit: 20, page: 1 });
    const told = items.filter(({ action }) => action === "POST /api/auth/change-password");
    expect(told.map(({ actor, target, outcome }) => [actor === id, target, outcome])).toEqual([
      [true, id, "done"],
      [true, null, "refused"],
      [true, null, "refused"],
    ]);
  });

  test("is guessed no oftener by somebody with a stolen token than at the door", async () => {
    const rig = await openHttpRig();
    const { accessToken } = await aPerson(rig);
    const guess = async () =>
      (
        await rig.post(
          "/api/auth/change-password",
          { currentPassword: "wrong", newPassword: "another good password" },
          bearing(accessToken),
        )
      ).status;
    for (let n = 0; n < 5; n++) expect(await guess()).toBe(401);
    expect(await guess()).toBe(429);
  });
});
