/** Users: made, changed and removed, by whom, and what is shown of them. */
import { describe, expect, test } from "vitest";
import { userSchema } from "../../hub/contract/administration.ts";
import { isExactly, listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import { aPerson, addUser, bearing, codeOf, FAILED, FINE, logIn, PASSWORD } from "../support/people.ts";

describe("users", () => {
  test("are made, listed, changed and removed; a password is shown once, and only one the hub made", async () => {
    const rig = await openHttpRig();
    const made = await rig.post("/api/users", {
      identifier: " Ana@Shop.example ",
      scopes: ["read"],
      sessions: ["s1"],
    });
    const { password, ...user } = made.data;
    expect([made.status, made.headers.get("cache-control"), user["identifier"]]).toEqual([
      201,
      "no-store",
      "ana@shop.example",
    ]);
    isExactly(userSchema, user);
    expect(codeOf(await logIn(rig, String(password), "ana@shop.example"))).toEqual(FINE);
    const given = await rig.post("/api/users", {
      identifier: "eva",
      scopes: ["read"],
      sessions: "*",
      password: PASSWORD,
    });
    expect(Object.keys(given.data)).not.toContain("password");
    expect(listIn((await rig.get("/api/users")).data, "users")).toHaveLength(2);
    expect((await rig.get("/api/users")).text).not.toMatch(/hash|salt|password/);

    const path = `/api/users/${String(user["id"])}`;
    expect(codeOf(await rig.put(path, { identifier: "EVA" }))).toEqual([409, "STATE_CONFLICT"]);
    const reset = await rig.put(path, { makePassword: true, identifier: "anna" });
    expect(codeOf(await logIn(rig, String(reset.data["password"]), "anna"))).toEqual(FINE);
    expect(codeOf(await rig.put(path, { makePassword: true, password: PASSWORD }))).toEqual([
      400,
      "VALIDATION_ERROR",
    ]);
    expect((await rig.call("DELETE", path)).data).toEqual({ deleted: true });
    expect(codeOf(await rig.call("DELETE", path))).toEqual([404, "NOT_FOUND"]);
    expect(codeOf(await logIn(rig, String(reset.data["password"]), "anna"))).toEqual(FAILED);
  });

  test("with names that could be phone numbers, weak passwords or unknown fields are refused by name", async () => {
    const rig = await openHttpRig();
    const fine = { identifier: "ana", scopes: ["read"], sessions: "*" };
    for (const [body, path] of [
      [{ ...fine, identifier: "34600111222" }, "identifier"],
      [{ ...fine, identifier: "a b" }, "identifier"],
      [{ ...fine, password: "short" }, "password"],
      [{ ...fine, scopes: ["all"] }, "scopes.0"],
      [{ ...fine, role: "admin" }, "role"],
    ] as const) {
      const { status, json } = await rig.post("/api/users", body);
      expect([status, recordOf(json["details"])["fields"]]).toMatchObject([400, [{ path }]]);
    }
    expect(await rig.store.users.list()).toEqual([]);
  });

  test("can neither be made, changed nor seen by somebody who may do less", async () => {
    const rig = await openHttpRig();
    const strong = await addUser(rig, { scopes: ["read", "send"] }, "strong");
    const { accessToken } = await aPerson(rig, { scopes: ["admin", "read"], sessions: ["s1"] });
    const as = bearing(accessToken);
    for (const more of [
      { scopes: ["send"], sessions: ["s1"] },
      { scopes: ["read"], sessions: "*" },
    ])
      expect(codeOf(await rig.post("/api/users", { identifier: "x1", ...more }, as))).toEqual([
        403,
        "AUTHORIZATION_FAILED",
      ]);
    expect(listIn((await rig.get("/api/users", as)).data, "users")).toMatchObject([{ identifier: "ana" }]);
    expect(codeOf(await rig.put(`/api/users/${strong}`, { makePassword: true }, as))).toEqual([
      404,
      "NOT_FOUND",
    ]);
    const made = await rig.post("/api/keys", { name: "k", scopes: ["read"], sessions: ["s1"] }, as);
    expect(made.status).toBe(201);
    expect(
      codeOf(await rig.post("/api/keys", { name: "k", scopes: ["send"], sessions: ["s1"] }, as)),
    ).toEqual([403, "AUTHORIZATION_FAILED"]);
  });

  test("stand in a session's timeline as who ordered what", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { id, accessToken } = await aPerson(rig, { scopes: ["admin"] });
    await rig.post("/api/sessions/s1/disconnect", {}, bearing(accessToken));
    const { data } = await rig.get("/api/sessions/s1/timeline");
    expect(listIn(data, "entries").map(({ text }) => text)).toContain(`disconnect, by the user "${id}"`);
    expect(JSON.stringify(data)).not.toContain("ana");
  });

  test("are told to others by their id: what they type to log in is theirs", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { id, accessToken } = await aPerson(rig, { scopes: ["admin"] });
    await rig.post("/api/sessions/s1/disconnect", {}, bearing(accessToken));
    const { data } = await rig.get("/api/sessions/s1");
    expect(data["reason"]).toMatchObject({ code: "stopped", by: id });
  });

  test("made under an Idempotency-Key are made once, and no hash of a password is kept for it", async () => {
    const rig = await openHttpRig();
    const headers = { "Idempotency-Key": "once" };
    const body = { identifier: "ana", scopes: ["read"], sessions: "*", password: PASSWORD };
    const first = await rig.post("/api/users", body, { headers });
    const again = await rig.post("/api/users", { ...body, password: "another good password" }, { headers });
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
    expect(codeOf(await logIn(rig))).toEqual(FINE);
  });
});
