/** Keys of the API: shown once, limited, renewed, revoked, and the first of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { keySchema } from "../../hub/contract/administration.ts";
import { defaultKeySettings } from "../../hub/core/api-key.ts";
import { createKey, ensureFirstKey, hashOf, rotateKey } from "../../hub/http/api-keys.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { anApiKey, T0 } from "../support/builders.ts";
import { fixedClock, minutes } from "../support/fixed-clock.ts";
import { isExactly, listIn, openHttpRig, recordOf } from "../support/http-rig.ts";

describe("keys", () => {
  test("are shown once, kept as a hash, and stop at once when they are revoked", async () => {
    const rig = await openHttpRig();
    const made = await rig.post("/api/keys", { name: "CRM", scopes: ["read"], sessions: "*" });
    expect([made.status, made.headers.get("cache-control")]).toEqual([201, "no-store"]);
    const { key, ...row } = made.data;
    expect(String(key)).toMatch(/^ihk_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}$/);
    isExactly(keySchema, row);
    const listed = await rig.get("/api/keys");
    expect(listed.text).not.toContain(String(key));
    expect(listed.text).not.toMatch(/hash/);
    expect((await rig.get("/api/sessions", { key: String(key) })).status).toBe(200);
    expect((await rig.call("DELETE", `/api/keys/${String(row["id"])}`)).data).toEqual({ deleted: true });
    expect((await rig.get("/api/sessions", { key: String(key) })).json["code"]).toBe("INVALID_API_KEY");
    expect((await rig.call("DELETE", `/api/keys/${String(row["id"])}`)).status).toBe(404);
    expect(rig.logged()).not.toContain(String(key));
  });

  test("are renewed with a time of grace for the old one", async () => {
    const rig = await openHttpRig();
    const { data } = await rig.post("/api/keys", { name: "CRM", scopes: ["read"], sessions: "*" });
    const old = String(data["key"]);
    const renewed = await rig.post(`/api/keys/${String(data["id"])}/rotate`, { graceSeconds: 600 });
    const fresh = String(renewed.data["key"]);
    expect([renewed.data["id"], fresh === old]).toEqual([data["id"], false]);
    expect((await rig.get("/api/sessions", { key: old })).status).toBe(200);
    expect((await rig.get("/api/sessions", { key: fresh })).status).toBe(200);
    rig.clock.advance(minutes(11));
    expect((await rig.get("/api/sessions", { key: old })).status).toBe(401);
    expect((await rig.get("/api/sessions", { key: fresh })).status).toBe(200);
  });

  test("end by themselves, and are changed in part", async () => {
    const rig = await openHttpRig();
    const expiresAt = new Date(T0.getTime() + minutes(5)).toISOString();
    const { data } = await rig.post("/api/keys", {
      name: "x",
      scopes: ["read"],
      sessions: ["s1"],
      expiresAt,
    });
    const key = String(data["key"]);
    const changed = await rig.put(`/api/keys/${String(data["id"])}`, {
      settings: { sendPerMinute: 5 },
      client: "crm",
    });
    expect(changed.data).toMatchObject({
      client: "crm",
      sessions: ["s1"],
      settings: { ...defaultKeySettings, sendPerMinute: 5 },
    });
    rig.clock.advance(minutes(6));
    expect((await rig.get("/api/sessions", { key })).status).toBe(401);
  });

  test("limited to address ranges are valid from there alone, and never through a proxy", async () => {
    const rig = await openHttpRig();
    const made = await rig.post("/api/keys", {
      name: "CRM",
      scopes: ["read", "admin"],
      sessions: "*",
      allowedCidrs: ["127.0.0.0/8", "10.1.0.0/16"],
    });
    expect(made.data["allowedCidrs"]).toEqual(["127.0.0.0/8", "10.1.0.0/16"]);
    const key = String(made.data["key"]);
    const path = `/api/keys/${String(made.data["id"])}`;
    expect((await rig.get("/api/sessions", { key })).status).toBe(200);
    for (const header of ["X-Forwarded-For", "Forwarded", "Via"]) {
      const through = await rig.get("/api/sessions", { key, headers: { [header]: "127.0.0.1" } });
      expect([header, through.status, through.json["code"]]).toEqual([header, 401, "INVALID_API_KEY"]);
    }
    const body = { name: "x", scopes: ["read"], sessions: "*" };
    for (const allowedCidrs of [undefined, [], ["127.0.0.0/7"], ["10.1.2.0/24", "10.2.0.0/24"]])
      expect((await rig.post("/api/keys", { ...body, allowedCidrs }, { key })).status).toBe(403);
    const narrow = await rig.post("/api/keys", { ...body, allowedCidrs: ["10.1.2.0/24"] }, { key });
    expect(narrow.status).toBe(201);
    const elsewhere = await rig.get("/api/sessions", { key: String(narrow.data["key"]) });
    expect(elsewhere.json["code"]).toBe("INVALID_API_KEY");

    await rig.put(path, { allowedCidrs: ["203.0.113.0/24", "2001:db8::/32"] });
    expect((await rig.get("/api/sessions", { key })).json["code"]).toBe("INVALID_API_KEY");
    await rig.put(path, { allowedCidrs: [] });
    expect((await rig.get("/api/sessions", { key, headers: { Via: "1.1 proxy" } })).status).toBe(200);
    for (const range of ["127.0.0.1", "10.0.0.0/33", "fe80::1%eth0/64", "10.0/8"]) {
      const refused = await rig.put(path, { allowedCidrs: [range] });
      expect(recordOf(refused.json["details"])["fields"]).toMatchObject([{ path: "allowedCidrs.0" }]);
    }
  });

  test("of an earlier version have the settings that came later", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hub-keys-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "hub.db");
    const clock = fixedClock();
    const first = await openSqliteStore({ file, publicUrl: "", clock });
    await first.keys.save(anApiKey({ id: "key_1" }));
    await first.close();
    const db = new Database(file);
    db.exec(`UPDATE api_key SET settings = json_remove(settings, '$.allowedCidrs', '$.settings.jidForm',
      '$.settings.defaultEndpoint')`);
    db.close();
    const { keys, close } = await openSqliteStore({ file, publicUrl: "", clock });
    expect(await keys.get("key_1")).toMatchObject({ allowedCidrs: [], settings: defaultKeySettings });
    await close();
  });

  test("cannot make, change or see a key that may do more than they may", async () => {
    const rig = await openHttpRig();
    const small = await rig.makeKey({ scopes: ["admin", "read"], sessions: ["s1"] });
    const more = [
      { name: "x", scopes: ["send"], sessions: ["s1"] },
      { name: "x", scopes: ["read"], sessions: "*" },
      { name: "x", scopes: ["read"], sessions: ["s2"] },
    ];
    for (const body of more)
      expect((await rig.post("/api/keys", body, { key: small })).json["code"]).toBe("AUTHORIZATION_FAILED");
    const all = listIn((await rig.get("/api/keys")).data, "keys");
    expect(all).toHaveLength(2);
    const seen = listIn((await rig.get("/api/keys", { key: small })).data, "keys");
    expect(seen).toHaveLength(1);
    const big = all.find(({ id }) => id !== seen[0]?.["id"]);
    expect((await rig.call("DELETE", `/api/keys/${String(big?.["id"])}`, { key: small })).status).toBe(404);
    const up = await rig.put(
      `/api/keys/${String(seen[0]?.["id"])}`,
      { scopes: ["admin", "read", "send"] },
      { key: small },
    );
    expect(up.status).toBe(403);
  });

  test("unknown fields and prototype tricks are refused by name, and change nothing", async () => {
    const rig = await openHttpRig();
    for (const body of [
      '{"name":"x","scopes":["read"],"sessions":"*","role":"admin"}',
      '{"__proto__":{"admin":true},"name":"x","scopes":["read"],"sessions":"*"}',
      '{"constructor":{"prototype":{"x":1}},"name":"x","scopes":["read"],"sessions":"*"}',
    ]) {
      const answer = await rig.call("POST", "/api/keys", { body });
      expect([answer.status, recordOf(answer.json["details"])["fields"]]).toMatchObject([
        400,
        [{ problem: "unknown field" }],
      ]);
    }
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
    expect(await rig.store.keys.list()).toHaveLength(1);
  });
});

describe("the first key", () => {
  test("is the operator's, as given, and a new one replaces it", async () => {
    const { keys, start } = await openKeys();
    const given = "operator-key-of-at-least-32-characters";
    expect(await start(given)).toBeNull();
    expect(await start(given)).toBeNull();
    expect(await keys.list()).toHaveLength(1);
    await start(`${given}-2`);
    const [only, ...others] = await keys.list();
    expect([only?.scopes.length, only?.sessions, others]).toEqual([5, "*", []]);
    expect(JSON.stringify(only)).not.toContain(given);
  });

  test("is made when nobody gave one, and only once", async () => {
    const { start } = await openKeys();
    expect(await start(null)).toMatch(/^ihk_/);
    expect(await start(null)).toBeNull();
  });

  test("may be written into HUB_API_KEY once it was shown, and so may any key there is", async () => {
    const { keys, clock, start } = await openKeys();
    const shown = String(await start(null));
    await start(shown);
    await start(shown);
    expect(await keys.list()).toMatchObject([{ name: "first key", hash: hashOf(shown) }]);
    await start(`${shown}-2`);
    expect(await keys.list()).toMatchObject([{ name: "first key", hash: hashOf(`${shown}-2`) }]);

    const about = { name: "CRM", scopes: ["read" as const], sessions: "*" as const };
    const crm = await createKey(about, { keys, clock });
    await start(crm.key);
    expect(await keys.list()).toMatchObject([
      { name: "first key", hash: hashOf(`${shown}-2`) },
      { name: "CRM", scopes: ["read"], hash: hashOf(crm.key) },
    ]);
    await start(`${shown}-3`);
    expect(await keys.list()).toMatchObject([
      { name: "first key", hash: hashOf(`${shown}-2`) },
      { name: "CRM", hash: hashOf(crm.key) },
      { name: "HUB_API_KEY", hash: hashOf(`${shown}-3`) },
    ]);
  });

  test.each([["as it was shown"], ["as it was given"]])(
    "%s is no stranger's: a revoked key in HUB_API_KEY takes nobody's place, and what is made is told",
    async (how) => {
      const { keys, clock, start, logged } = await openKeys();
      const first =
        how === "as it was shown" ? String(await start(null)) : "operator-key-of-at-least-32-characters";
      await start(first);
      const [mine] = await keys.list();
      const about = { name: "CRM", scopes: ["read" as const], sessions: ["s1"] };
      const crm = await createKey(about, { keys, clock });
      await start(crm.key);
      const before = logged().length;
      await keys.remove(crm.row.id);

      await start(crm.key);
      expect(await keys.byHash(hashOf(first))).toMatchObject({ id: mine?.id, operatorHash: null });
      const made = await keys.byHash(hashOf(crm.key));
      expect(made).toMatchObject({ name: "HUB_API_KEY", sessions: "*" });
      expect(logged().slice(before)).toEqual([
        ["key.operator_made", { keyId: made?.id, name: "HUB_API_KEY", isNew: true }],
      ]);
      expect((await keys.list()).filter(({ name }) => name === "HUB_API_KEY")).toHaveLength(1);

      await start(`${first}-2`);
      expect(await keys.byHash(hashOf(first))).toMatchObject({ id: mine?.id });
      expect(await keys.byHash(hashOf(crm.key))).toBeNull();
      expect(logged().at(-1)).toMatchObject(["key.operator_made", { keyId: made?.id, isNew: false }]);
    },
  );

  test("keeps a new name and a new secret over a restart, until another key is given", async () => {
    const { keys, clock, start } = await openKeys();
    const given = "operator-key-of-at-least-32-characters";
    await start(given);
    const [row] = await keys.list();
    if (row === undefined) throw new Error("no key was made");
    await keys.save({ ...row, name: "ours" });
    await start(given);
    expect(await keys.list()).toMatchObject([{ name: "ours", hash: hashOf(given) }]);

    const renewed = await rotateKey({ ...row, name: "ours" }, 0, { keys, clock });
    await start(given);
    expect(await keys.byHash(hashOf(given))).toBeNull();
    expect(await keys.byHash(hashOf(renewed.key))).toMatchObject({ id: row.id });
    await start(`${given}-2`);
    expect(await keys.byHash(hashOf(renewed.key))).toBeNull();
    expect(await keys.list()).toMatchObject([{ id: row.id, name: "ours", hash: hashOf(`${given}-2`) }]);
  });

  test("of an earlier version, which did not note what was given, is known by its name", async () => {
    const { keys, start } = await openKeys();
    const given = "operator-key-of-at-least-32-characters";
    await keys.save(anApiKey({ name: "HUB_API_KEY", hash: hashOf("before") }));
    await start(given);
    expect(await keys.list()).toMatchObject([{ name: "HUB_API_KEY", hash: hashOf(given) }]);
  });
});

async function openKeys() {
  const clock = fixedClock();
  const store = await openSqliteStore({ file: ":memory:", publicUrl: "", clock });
  onTestFinished(() => store.close());
  const lines: [event: string, facts: object][] = [];
  const write = (facts: object, event: string): void => void lines.push([event, facts]);
  const log = { debug: write, info: write, warn: write, error: write };
  const start = (given: string | null) => {
    clock.advance(minutes(1));
    return ensureFirstKey({ keys: store.keys, given, clock, log });
  };
  return { keys: store.keys, clock, start, logged: () => lines };
}
