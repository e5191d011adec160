/** A session made for a CRM: its number, its webhook, and what the key that makes it decides about it. */
import { describe, expect, test } from "vitest";
import type { Endpoint } from "../../hub/core/endpoint.ts";
import { listIn, openHttpRig, recordOf, type Answered, type HttpRig } from "../support/http-rig.ts";

const HOOK = "http://127.0.0.1:9/hook";
const SECRET = "0123456789abcdef-template";

const fieldsOf = ({ status, json }: Answered): unknown[] => [
  status,
  json["code"],
  listIn(recordOf(json["details"]), "fields").map(({ path }) => path),
];

const ownOf = async ({ ctx }: HttpRig, sessionId: string): Promise<Endpoint | undefined> =>
  (await ctx.endpoints.forSession(sessionId)).find(({ managedBy }) => managedBy === "session");
const secretOf = async (rig: HttpRig, sessionId: string): Promise<string | null> => {
  const own = await ownOf(rig, sessionId);
  return own === undefined ? null : rig.ctx.endpoints.signing(own).secret;
};

const withTemplate = async (rig: HttpRig, template: object = { url: HOOK, secret: SECRET }) => {
  const { status, data } = await rig.post("/api/keys", {
    ...{ name: "X", scopes: ["read", "admin"], sessions: "*", client: "x" },
    settings: { defaultEndpoint: template },
  });
  expect(status).toBe(201);
  return { id: String(data["id"]), key: String(data["key"]), settings: recordOf(data["settings"]) };
};

describe("the number of a new session", () => {
  test("is what a pairing code is for when the call for one names none", async () => {
    const rig = await openHttpRig();
    const asked: string[] = [];
    const { sessions } = rig.ctx;
    const pairing = (sessionId: string, phoneNumber: string) => {
      asked.push(phoneNumber);
      return sessions
        .get(sessionId)
        .then((session) => ({ code: "ABCD1234", expiresAt: rig.clock.now(), session }));
    };
    Object.assign(sessions, { pairingCode: pairing });
    await rig.post("/api/sessions", { sessionId: "s1", phoneNumber: "+34 600 999-888" });
    const answer = await rig.post("/api/sessions/s1/pairing-code", {});
    expect([answer.status, answer.data["pairingCode"]]).toEqual([200, "ABCD-1234"]);
    await rig.post("/api/sessions/s1/pairing-code", { phoneNumber: "34600111222" });
    await rig.put("/api/sessions/s1/settings", { pairingNumber: "34600333444" });
    await rig.post("/api/sessions/s1/pairing-code", {});
    expect(asked).toEqual(["34600999888", "34600111222", "34600333444"]);
    // It is no number that the account has.
    expect((await rig.get("/api/sessions/s1")).data).toMatchObject({
      phoneNumber: null,
      settings: { pairingNumber: "34600333444" },
    });
    expect(rig.logged()).not.toContain("600999888");
  });

  test("left out or empty is asked for with the code; one that is none is refused, and makes no session", async () => {
    const rig = await openHttpRig();
    for (const phoneNumber of [undefined, null, ""])
      expect((await rig.post("/api/sessions", { sessionId: "s1", phoneNumber })).status).toBeLessThan(300);
    expect(fieldsOf(await rig.post("/api/sessions/s1/pairing-code", {}))).toEqual([
      400,
      "VALIDATION_ERROR",
      ["phoneNumber"],
    ]);
    for (const phoneNumber of ["123", "not a number", "1".repeat(16), 34600999888])
      expect(fieldsOf(await rig.post("/api/sessions", { sessionId: "s2", phoneNumber }))).toEqual([
        400,
        "VALIDATION_ERROR",
        ["phoneNumber"],
      ]);
    expect((await rig.get("/api/sessions/s2")).status).toBe(404);
  });

  test("of one that is there already stays as it is", async () => {
    const rig = await openHttpRig();
    await rig.post("/api/sessions", { sessionId: "s1", phoneNumber: "34600999888" });
    await rig.post("/api/sessions", { sessionId: "s1", phoneNumber: "34600111222" });
    expect((await rig.get("/api/sessions/s1/settings")).data["pairingNumber"]).toBe("34600999888");
  });
});

describe("a webhook secret without a URL", () => {
  test("is refused by its name where the session has no webhook, and makes no session", async () => {
    const rig = await openHttpRig();
    const body = { sessionId: "s1", webhookSecret: SECRET };
    for (const more of [{}, { webhookUrl: "" }, { webhookUrl: null }])
      expect(fieldsOf(await rig.post("/api/sessions", { ...body, ...more }))).toEqual([
        400,
        "VALIDATION_ERROR",
        ["webhookSecret"],
      ]);
    expect((await rig.get("/api/sessions")).data["total"]).toBe(0);
  });

  test("changes the secret of the webhook that is there", async () => {
    const rig = await openHttpRig();
    await rig.post("/api/sessions", { sessionId: "s1", webhookUrl: HOOK });
    const again = await rig.post("/api/sessions", { sessionId: "s1", webhookSecret: SECRET });
    expect([again.status, await secretOf(rig, "s1"), (await ownOf(rig, "s1"))?.url]).toEqual([
      200,
      SECRET,
      HOOK,
    ]);
    expect(fieldsOf(await rig.post("/api/sessions", { sessionId: "s1", webhookSecret: "short" }))).toEqual([
      400,
      "VALIDATION_ERROR",
      ["webhookSecret"],
    ]);
    const key = await rig.makeKey({ scopes: ["read", "admin"] });
    const without = await rig.post(
      "/api/sessions",
      { sessionId: "s1", webhookSecret: `${SECRET}2` },
      { key },
    );
    expect([without.status, await secretOf(rig, "s1")]).toEqual([403, SECRET]);
  });
});

describe("a key's jidForm", () => {
  test("is that of the sessions it makes, unless the call says another, and of none that comes back", async () => {
    const rig = await openHttpRig();
    const made = await rig.post("/api/keys", {
      ...{ name: "X", scopes: ["read", "admin"], sessions: "*" },
      settings: { jidForm: "s.whatsapp.net" },
    });
    const key = String(made.data["key"]);
    const formOf = async (sessionId: string): Promise<unknown> =>
      (await rig.get(`/api/sessions/${sessionId}/settings`)).data["jidForm"];
    await rig.post("/api/sessions", { sessionId: "a" }, { key });
    await rig.post("/api/sessions", { sessionId: "b", settings: { jidForm: "c.us" } }, { key });
    await rig.post("/api/sessions", { sessionId: "c" });
    await rig.call("DELETE", "/api/sessions/c");
    await rig.post("/api/sessions", { sessionId: "c" }, { key });
    expect([await formOf("a"), await formOf("b"), await formOf("c")]).toEqual([
      "s.whatsapp.net",
      "c.us",
      "c.us",
    ]);
  });
});

describe("a key's defaultEndpoint", () => {
  test("hears of the sessions that the key makes for a Frappe site, signed with its secret", async () => {
    const rig = await openHttpRig();
    const { key } = await withTemplate(rig, {
      url: HOOK,
      secret: SECRET,
      ack: "status",
      presets: ["frappe"],
    });
    const headers = { "X-Frappe-Origin": "true" };
    await rig.post("/api/sessions", { sessionId: "a", fromFrappe: true }, { key });
    await rig.post("/api/sessions", { sessionId: "b" }, { key, headers });
    for (const sessionId of ["a", "b"]) {
      expect(await ownOf(rig, sessionId)).toMatchObject({
        ...{ url: HOOK, sessions: [sessionId], client: "x", managedBy: "session" },
        ...{ ack: "status", ordering: "session", presets: ["frappe"] },
      });
      expect(await secretOf(rig, sessionId)).toBe(SECRET);
    }
    // Again changes nothing, and makes no second one.
    const again = await rig.post("/api/sessions", { sessionId: "a", fromFrappe: true }, { key });
    expect([again.status, (await rig.ctx.endpoints.list()).length]).toEqual([200, 2]);
  });

  test("is not for sessions made otherwise, for those that name a webhook, or for others' sessions", async () => {
    const rig = await openHttpRig();
    const { key } = await withTemplate(rig);
    await rig.post("/api/sessions", { sessionId: "plain" }, { key });
    await rig.post("/api/sessions", { sessionId: "others" });
    await rig.post("/api/sessions", { sessionId: "others", fromFrappe: true }, { key });
    expect([await ownOf(rig, "plain"), await ownOf(rig, "others")]).toEqual([undefined, undefined]);
    const webhookUrl = "http://127.0.0.1:9/other";
    const both = await rig.makeKey({ client: "y" });
    await rig.post("/api/sessions", { sessionId: "named", fromFrappe: true, webhookUrl }, { key: both });
    await rig.post("/api/sessions", { sessionId: "named", fromFrappe: true }, { key });
    expect((await ownOf(rig, "named"))?.url).toBe(webhookUrl);
  });

  test("is given to a session that a kill left without it, and not beside one that hears already", async () => {
    const rig = await openHttpRig();
    const { key } = await withTemplate(rig);
    await rig.ctx.sessions.create({ sessionId: "s1", sendToFrappe: true });
    await rig.post("/api/sessions", { sessionId: "s1", fromFrappe: true }, { key });
    expect((await ownOf(rig, "s1"))?.url).toBe(HOOK);
    await rig.ctx.endpoints.ensureDefault({ url: "http://127.0.0.1:9/all", secret: SECRET });
    const same = await withTemplate(rig, { url: "http://127.0.0.1:9/all" });
    await rig.post("/api/sessions", { sessionId: "s2", fromFrappe: true }, { key: same.key });
    expect(await ownOf(rig, "s2")).toBeUndefined();
    expect(await rig.ctx.endpoints.forSession("s2")).toHaveLength(1);
  });

  test("without a secret is given one by the hub, for each session another", async () => {
    const rig = await openHttpRig();
    const { key } = await withTemplate(rig, { url: HOOK });
    for (const sessionId of ["a", "b"])
      await rig.post("/api/sessions", { sessionId, fromFrappe: true }, { key });
    const [a, b] = [await secretOf(rig, "a"), await secretOf(rig, "b")];
    expect([a?.startsWith("whsec_"), a === b]).toEqual([true, false]);
  });

  test("shows its secret to nobody, keeps it when it is left out of a change, and drops it with null", async () => {
    const rig = await openHttpRig();
    const { id, key, settings } = await withTemplate(rig);
    expect(settings["defaultEndpoint"]).toMatchObject({
      url: HOOK,
      ordering: "session",
      ack: "body",
      presets: [],
    });
    expect((await rig.get("/api/keys")).text).not.toMatch(/secret/);
    expect(JSON.stringify(await rig.store.keys.get(id))).not.toContain(SECRET);
    const change = (defaultEndpoint: unknown) =>
      rig.put(`/api/keys/${id}`, { settings: { defaultEndpoint } });
    await change({ url: `${HOOK}2` });
    await rig.post("/api/sessions", { sessionId: "a", fromFrappe: true }, { key });
    expect([(await ownOf(rig, "a"))?.url, await secretOf(rig, "a")]).toEqual([`${HOOK}2`, SECRET]);
    await change({ url: HOOK, secret: null });
    await rig.post("/api/sessions", { sessionId: "b", fromFrappe: true }, { key });
    expect(await secretOf(rig, "b")).toMatch(/^whsec_/);
    await change(null);
    await rig.post("/api/sessions", { sessionId: "c", fromFrappe: true }, { key });
    expect(await ownOf(rig, "c")).toBeUndefined();
  });

  test("that must not be called is refused when it is set, and when it has become so, before the session is made", async () => {
    const rig = await openHttpRig();
    const body = { name: "X", scopes: ["read"], sessions: "*" };
    const set = (defaultEndpoint: object, options = {}) =>
      rig.post("/api/keys", { ...body, settings: { defaultEndpoint } }, options);
    const refused = await set({ url: "http://10.0.0.1/h", secret: "short-secret" });
    const path = "settings.defaultEndpoint";
    expect(fieldsOf(refused)).toEqual([400, "VALIDATION_ERROR", [`${path}.secret`, `${path}.url`]]);
    expect(fieldsOf(await set({ url: HOOK, headers: {} }))[0]).toBe(400);
    const key = await rig.makeKey({ scopes: ["read", "admin"] });
    expect((await set({ url: HOOK }, { key })).json["code"]).toBe("AUTHORIZATION_FAILED");

    const { id, key: made } = await withTemplate(rig);
    const row = await rig.store.keys.get(id);
    const template = row?.settings.defaultEndpoint;
    if (!row || !template) throw new Error("not there");
    const defaultEndpoint = { ...template, url: "http://10.0.0.1/h" };
    await rig.store.keys.save({ ...row, settings: { ...row.settings, defaultEndpoint } });
    const late = await rig.post("/api/sessions", { sessionId: "s1", fromFrappe: true }, { key: made });
    expect([late.status, late.json["error"]]).toEqual([
      400,
      expect.stringContaining("defaultEndpoint of this key"),
    ]);
    expect((await rig.get("/api/sessions")).data["total"]).toBe(0);
  });
});
