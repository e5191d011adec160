/** QR codes: whoever reads one can link the account, so that a key for webhooks alone gets none and sends none anywhere. */
import { expect, test } from "vitest";
import { listIn, openHttpRig, recordOf, type HttpRig } from "../support/http-rig.ts";

const hook = "http://127.0.0.1:9/hook";
const elsewhere = "http://127.0.0.1:10/hook";
const SECRET = "my-own-secret-of-16";
const REFUSED = [403, { scope: "admin" }];

/** A hub with a key that may do everything but administer. */
async function openRig() {
  const rig = await openHttpRig();
  await rig.session("s1", { connected: false });
  const key = await rig.makeKey({ scopes: ["read", "send", "media", "webhooks"] });
  return { rig, key };
}

const refusal = ({ status, json }: { status: number; json: Record<string, unknown> }): unknown[] => [
  status,
  json["details"],
];

async function tellQr({ store, clock }: HttpRig): Promise<void> {
  const data = { status: "qr_code", qrCode: "cXItY29kZQ==", expiresAt: "2026-01-31T10:00:00.000Z" };
  const entry = { event: "session.qr" as const, chatId: null, data, exceptClient: null, notBefore: null };
  await store.events.append("s1", [entry], clock.now());
}

test("an endpoint for them is made, pointed and opened by an administrator alone", async () => {
  const { rig, key } = await openRig();
  const asked = { url: hook, sessions: ["s1"], events: ["session.qr"], includeQr: true };
  expect(refusal(await rig.post("/api/endpoints", asked, { key }))).toEqual(REFUSED);
  expect(listIn((await rig.get("/api/endpoints")).data, "endpoints")).toEqual([]);
  const plain = await rig.post("/api/endpoints", { ...asked, includeQr: false }, { key });
  expect(plain.status).toBe(201);
  const path = `/api/endpoints/${String(plain.data["id"])}`;
  expect(refusal(await rig.put(path, { includeQr: true }, { key }))).toEqual(REFUSED);
  expect((await rig.put(path, { url: elsewhere, includeQr: false }, { key })).status).toBe(200);

  expect((await rig.put(path, { url: hook, includeQr: true })).status).toBe(200);
  for (const change of [
    { url: elsewhere },
    { url: elsewhere, includeQr: false },
    { includeQr: false },
    { sessions: "*" },
    { events: ["*", "session.qr"] },
  ])
    expect([change, ...refusal(await rig.put(path, change, { key }))]).toEqual([change, ...REFUSED]);
  expect(refusal(await rig.post(`${path}/rotate-secret`, { secret: SECRET }, { key }))).toEqual(REFUSED);
  expect((await rig.get(path)).data).toMatchObject({ ...asked, url: hook });

  // What does not touch them is a matter of webhooks, also when it is said in full.
  expect((await rig.put(path, { ...asked, description: "CRM", ack: "status" }, { key })).status).toBe(200);
  expect((await rig.post(`${path}/pause`, {}, { key })).status).toBe(200);
  expect((await rig.post(`${path}/rotate-secret`, {})).status).toBe(200);
  expect((await rig.call("DELETE", path, { key })).status).toBe(200);
});

test("the webhook of a session that is told them is not moved by a key for webhooks", async () => {
  const { rig, key } = await openRig();
  const webhook = "/api/sessions/s1/webhook";
  const set = await rig.put(webhook, { webhookUrl: hook, webhookSecret: SECRET }, { key });
  expect(set.status).toBe(200);
  const path = `/api/endpoints/${String(set.data["endpointId"])}`;
  expect((await rig.put(path, { includeQr: true, events: ["session.qr"] })).status).toBe(200);

  expect(refusal(await rig.put(webhook, { webhookUrl: elsewhere }, { key }))).toEqual(REFUSED);
  expect(refusal(await rig.put(webhook, { webhookSecret: `${SECRET}!` }, { key }))).toEqual(REFUSED);
  const everything = await rig.makeKey({ scopes: ["read", "webhooks", "admin"] });
  const again = { sessionId: "s1", webhookUrl: hook, webhookSecret: SECRET };
  expect((await rig.post("/api/sessions", again, { key: everything })).status).toBe(200);
  // The same as before changes nothing.
  expect((await rig.put(webhook, { webhookUrl: hook, webhookSecret: SECRET }, { key })).status).toBe(200);
  expect((await rig.get(path)).data["url"]).toBe(hook);
  expect((await rig.put(webhook, { webhookUrl: elsewhere })).data["webhookUrl"]).toBe(elsewhere);
  expect((await rig.put(webhook, { webhookUrl: "" }, { key })).status).toBe(200);
});

test("a delivery of one is shown to administrators alone, the others to whoever minds webhooks", async () => {
  const { rig, key } = await openRig();
  const events = ["session.qr", "session.status"];
  await rig.post("/api/endpoints", { url: hook, sessions: ["s1"], events, includeQr: true });
  await tellQr(rig);
  const [delivery] = listIn((await rig.get("/api/deliveries", { key })).data, "deliveries");
  expect(delivery).toMatchObject({ event: "session.qr", state: "pending" });
  const path = `/api/deliveries/${String(delivery?.["id"])}`;
  const refused = await rig.get(path, { key });
  expect(refusal(refused)).toEqual(REFUSED);
  expect(refused.text).not.toContain("cXItY29kZQ");
  expect(recordOf(JSON.parse(String((await rig.get(path)).data["body"])))["event"]).toBe("session.qr");
  const eventPath = `/api/events/${String(delivery?.["eventId"])}`;
  expect(refusal(await rig.get(eventPath, { key }))).toEqual(REFUSED);
});

test("a key's defaultEndpoint cannot ask for them", async () => {
  const { rig } = await openRig();
  const defaultEndpoint = { url: hook, events: ["session.qr"], includeQr: true };
  const body = { name: "site", scopes: ["webhooks"], sessions: "*", settings: { defaultEndpoint } };
  expect((await rig.post("/api/keys", body)).status).toBe(400);
});
