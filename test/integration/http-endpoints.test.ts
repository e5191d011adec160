/** Endpoints and deliveries: what those who run the hub do with them. */
import { describe, expect, test } from "vitest";
import { endpointSchema } from "../../hub/contract/administration.ts";
import { aMessageFact } from "../support/builders.ts";
import { isExactly, listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import { createTlsCertificate } from "../whatsapp/wire/tls-certificate.ts";

const hook = "http://127.0.0.1:9/hook";

describe("endpoints", () => {
  test("are made with a secret that is shown once, and never show header values", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const made = await rig.post("/api/endpoints", {
      url: hook,
      sessions: ["s1"],
      headers: { "X-Tenant": "top-secret" },
    });
    const { secret, ...endpoint } = made.data;
    expect([made.status, String(secret).startsWith("whsec_")]).toEqual([201, true]);
    isExactly(endpointSchema, endpoint);
    expect(endpoint).toMatchObject({
      url: hook,
      sessions: ["s1"],
      headers: ["X-Tenant"],
      state: "active",
      client: "tests",
    });
    const shown = await rig.get(`/api/endpoints/${String(endpoint["id"])}`);
    expect(shown.text).not.toMatch(/top-secret|whsec_/);
    expect(listIn((await rig.get("/api/endpoints?sessionId=s1")).data, "endpoints")).toHaveLength(1);
    expect(listIn((await rig.get("/api/endpoints?sessionId=s2")).data, "endpoints")).toHaveLength(0);

    const id = String(endpoint["id"]);
    expect((await rig.post(`/api/endpoints/${id}/pause`)).data["state"]).toBe("paused");
    expect((await rig.post(`/api/endpoints/${id}/resume`)).data["state"]).toBe("active");
    expect((await rig.put(`/api/endpoints/${id}`, { description: "CRM", ack: "status" })).data).toMatchObject(
      { description: "CRM", ack: "status" },
    );
    const rotated = await rig.post(`/api/endpoints/${id}/rotate-secret`, { secret: "my-own-secret-of-16" });
    expect(rotated.data["secret"]).toBe("my-own-secret-of-16");
    expect((await rig.call("DELETE", `/api/endpoints/${id}`)).data).toEqual({ deleted: true, dismissed: 0 });
    expect((await rig.get(`/api/endpoints/${id}`)).status).toBe(404);
  });

  test("may have authorities of their own, which are shown by name and end, and checked before they are kept", async () => {
    const rig = await openHttpRig();
    const { certificate, privateKey } = createTlsCertificate([]);
    const made = await rig.post("/api/endpoints", { url: hook, ca: `${certificate}${certificate}` });
    const { secret, ...endpoint } = made.data;
    isExactly(endpointSchema, endpoint);
    expect(secret).toEqual(expect.any(String));
    const shown = { subject: "CN=WhatsApp emulator (tests only)", validUntil: expect.any(String) as string };
    expect([made.status, endpoint["ca"]]).toEqual([201, [shown, shown]]);
    expect(JSON.stringify(made.json)).not.toContain("BEGIN CERTIFICATE");

    const path = `/api/endpoints/${String(endpoint["id"])}`;
    const expired = createTlsCertificate([], new Date("2020-01-01T00:00:00Z")).certificate;
    const cut = certificate.replace(/\n[^\n]+\n[^\n]+\n/, "\n");
    for (const [ca, problem] of [
      ["trust me", /use PEM/],
      [privateKey, /private key/],
      [`${certificate}${privateKey}`, /private key/],
      [cut, /certificate 1 cannot be read/],
      [`${certificate}${expired}`, /certificate 2 \(CN=WhatsApp emulator \(tests only\)\) has expired/],
      [certificate.repeat(11), /at most 10/],
      ["x".repeat(70_000), /at most 65536/],
    ] as const) {
      const answer = await rig.put(path, { ca });
      expect([answer.status, answer.json["code"]]).toEqual([400, "VALIDATION_ERROR"]);
      expect(answer.json["message"]).toMatch(problem);
      expect(answer.json["message"]).toMatch(/^ca: /);
    }
    expect((await rig.put(path, { description: "CRM" })).data["ca"]).toEqual([shown, shown]);
    expect((await rig.put(path, { ca: null })).data["ca"]).toEqual([]);
  });

  test("refuse URLs that must not be called, unknown sessions, events and fields, each by name", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    for (const [body, path] of [
      [{ url: "http://169.254.169.254/latest" }, "url"],
      [{ url: "ftp://crm.example/" }, "url"],
      [{ url: "https://user:pass@crm.example/" }, "url"],
      [{ url: hook, sessions: ["nobody"] }, "sessions.0"],
      [{ url: hook, events: ["message.unknown"] }, "events.0"],
      [{ url: hook, headers: { "webhook-id": "x" } }, "headers.webhook-id"],
      [{ url: hook, headers: { "X-A": "a\r\nX-B: b" } }, "headers.X-A"],
      [{ url: hook, secret: "short" }, "secret"],
      [{ url: hook, timeoutMs: 1 }, "timeoutMs"],
      [{ url: hook, managedBy: "default" }, "managedBy"],
    ] as const) {
      const answer = await rig.post("/api/endpoints", body);
      expect([path, answer.status, recordOf(answer.json["details"])["fields"]]).toMatchObject([
        path,
        400,
        [{ path }],
      ]);
    }
    expect(listIn((await rig.get("/api/endpoints")).data, "endpoints")).toEqual([]);
  });

  test("of other sessions do not exist for a key, and cannot be widened by it", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await rig.session("mine", { phoneNumber: "34600777666" });
    const limited = await rig.makeKey({ sessions: ["mine"] });
    const wide = String((await rig.post("/api/endpoints", { url: hook })).data["id"]);
    const unknown = await rig.get(`/api/endpoints/ep_${"Z".repeat(26)}`, { key: limited });
    const foreign = await rig.get(`/api/endpoints/${wide}`, { key: limited });
    expect([foreign.status, foreign.json["error"]]).toEqual([404, unknown.json["error"]]);
    expect((await rig.post("/api/endpoints", { url: hook, sessions: "*" }, { key: limited })).status).toBe(
      403,
    );
    expect((await rig.post("/api/endpoints", { url: hook, sessions: ["s1"] }, { key: limited })).status).toBe(
      400,
    );
    const own = await rig.post("/api/endpoints", { url: hook }, { key: limited });
    expect([own.status, own.data["sessions"]]).toEqual([201, ["mine"]]);
    expect(
      (await rig.put(`/api/endpoints/${String(own.data["id"])}`, { sessions: "*" }, { key: limited })).status,
    ).toBe(403);
  });

  test("a session has one webhook of its own: set, changed, removed", async () => {
    const rig = await openHttpRig();
    const made = await rig.post("/api/sessions", {
      sessionId: "s1",
      webhookUrl: hook,
      webhookSecret: "my-own-secret-of-16",
    });
    expect(made.status).toBe(201);
    const set = await rig.put("/api/sessions/s1/webhook", { webhookUrl: `${hook}2` });
    expect(set.data).toMatchObject({ webhookUrl: `${hook}2` });
    expect(set.data).not.toHaveProperty("webhookSecret");
    const [endpoint] = listIn((await rig.get("/api/sessions/s1")).data, "endpoints");
    expect(endpoint).toMatchObject({
      managedBy: "session",
      ordering: "session",
      ack: "body",
      client: "tests",
    });
    expect((await rig.put("/api/sessions/s1/webhook", { webhookUrl: "" })).data).toEqual({
      endpointId: null,
      webhookUrl: "",
    });
    const fresh = await rig.put("/api/sessions/s1/webhook", { webhookUrl: hook });
    expect(String(fresh.data["webhookSecret"])).toMatch(/^whsec_/);
  });
});

describe("deliveries", () => {
  test("are listed, shown with their bytes, and their signatures stay masked", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { data } = await rig.post("/api/endpoints", {
      url: hook,
      events: ["message.received"],
      headers: { "X-Tenant": "top-secret" },
    });
    await rig.tell("s1", aMessageFact({ id: "3A1" }));
    const list = await rig.get(
      `/api/deliveries?endpointId=${String(data["id"])}&sessionId=s1&chatId=34600111222&state=pending`,
    );
    const [delivery] = listIn(list.data, "deliveries");
    expect(delivery).toMatchObject({
      event: "message.received",
      state: "pending",
      chatId: "34600111222@c.us",
      attempts: 0,
    });
    const shown = await rig.get(`/api/deliveries/${String(delivery?.["id"])}`);
    expect(JSON.parse(String(shown.data["body"]))).toMatchObject({
      event: "message.received",
      seq: delivery?.["seq"],
    });
    expect(recordOf(shown.data["headers"])).toMatchObject({
      "webhook-id": delivery?.["eventId"],
      "webhook-signature": "[masked]",
      "X-Tenant": "[masked]",
    });
    expect(shown.text).not.toContain("top-secret");
    expect((await rig.get("/api/deliveries/stats")).data).toMatchObject({ pending: 1, dead: 0 });
    expect((await rig.get("/api/deliveries?chatId=34600111222")).status).toBe(400);
    expect((await rig.get(`/api/deliveries/dlv_${"Z".repeat(26)}`)).status).toBe(404);

    const limited = await rig.makeKey({ sessions: ["mine"] });
    expect((await rig.get(`/api/deliveries/${String(delivery?.["id"])}`, { key: limited })).status).toBe(404);
    expect(listIn((await rig.get("/api/deliveries", { key: limited })).data, "deliveries")).toEqual([]);
  });

  test("one that is on its way is shown as sending, alone and in lists, and is not pending", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { data } = await rig.post("/api/endpoints", { url: hook, events: ["message.received"] });
    await rig.tell("s1", aMessageFact(), aMessageFact({ chatId: "34600333444@s.whatsapp.net" }));
    const endpointId = String(data["id"]);
    const [due] = await rig.store.outbox.leaseDue({ endpointId, now: rig.clock.now(), limit: 1 });
    const listed = async (state: string) => {
      const list = await rig.get(`/api/deliveries?state=${state}`);
      return listIn(list.data, "deliveries").map((one) => [one["seq"], one["state"]]);
    };
    expect(await listed("sending")).toEqual([[due?.seq, "sending"]]);
    const waiting = await listed("pending");
    expect(waiting.map(([, state]) => state)).toEqual(["pending"]);
    expect(waiting).not.toContainEqual([due?.seq, "pending"]);
    const [sending] = listIn((await rig.get("/api/deliveries?state=sending")).data, "deliveries");
    const shown = await rig.get(`/api/deliveries/${String(sending?.["id"])}`);
    expect(shown.data["state"]).toBe("sending");
    rig.store.outbox.release([due?.laneId ?? 0]);
    expect(await listed("sending")).toEqual([]);
  });

  test("are dismissed and replayed one by one or by a filter, never all by an empty body", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { data } = await rig.post("/api/endpoints", { url: hook, events: ["message.received"] });
    const endpointId = String(data["id"]);
    await rig.tell("s1", aMessageFact({ id: "3A1" }), aMessageFact({ id: "3A2" }));
    // An empty chat is nobody's; it must not mean the whole session.
    for (const order of ["replay", "dismiss"])
      for (const body of [{}, { sessionId: "s1", chatId: "" }])
        expect((await rig.post(`/api/deliveries/${order}`, body)).json["code"]).toBe("VALIDATION_ERROR");
    const [first] = listIn((await rig.get("/api/deliveries")).data, "deliveries");
    const dismissed = await rig.post(`/api/deliveries/${String(first?.["id"])}/dismiss`, { reason: "test" });
    expect([dismissed.status, dismissed.data]).toEqual([200, { dismissed: 1 }]);
    expect((await rig.post("/api/deliveries/dismiss", { endpointId })).data).toEqual({ dismissed: 1 });
    const dry = await rig.post("/api/deliveries/replay", { endpointId, state: "dismissed", dryRun: true });
    expect(dry.data).toMatchObject({ matched: 2, job: null });
    const again = await rig.post(`/api/deliveries/${String(first?.["id"])}/replay`, {});
    expect([again.status, again.data["state"]]).toEqual([200, "pending"]);
  });

  test("a replay by a filter tells how far it is, to those who see its endpoint", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    await rig.session("mine", { phoneNumber: "34600777666" });
    const { data } = await rig.post("/api/endpoints", { url: hook, events: ["message.received"] });
    const endpointId = String(data["id"]);
    await rig.tell("s1", aMessageFact({ id: "3A1" }), aMessageFact({ id: "3A2" }));
    await rig.post("/api/deliveries/dismiss", { endpointId });
    expect((await rig.get("/api/deliveries/replays")).data).toMatchObject({ replays: [], total: 0 });
    const order = { endpointId, state: "dismissed", since: "2020-01-01T00:00:00Z" };
    const started = await rig.post("/api/deliveries/replay", order);
    const job = String(started.data["job"]);
    await rig.ctx.replays.idle();
    const told = await rig.get(`/api/deliveries/replays/${job}`);
    const now = rig.clock.now().toISOString();
    expect(told.data).toEqual({
      job,
      state: "done",
      filter: { ...order, since: "2020-01-01T00:00:00.000Z" },
      matched: 2,
      replayed: 2,
      startedAt: now,
      finishedAt: now,
    });
    expect((await rig.get("/api/deliveries/replays")).data).toMatchObject({
      replays: [told.data],
      total: 1,
    });

    const key = await rig.makeKey({ sessions: ["mine"] });
    expect((await rig.get("/api/deliveries/replays", { key })).data).toMatchObject({ replays: [], total: 0 });
    const unknown = `job_${"0".repeat(26)}`;
    for (const [id, asked] of [
      [job, { key }],
      [unknown, {}],
    ] as const) {
      const none = await rig.get(`/api/deliveries/replays/${id}`, asked);
      expect([none.status, none.json["code"]]).toEqual([404, "NOT_FOUND"]);
    }
  });
});
