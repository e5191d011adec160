/** Sending through the bridge: what reaches the hub, under which key, and how a refusal comes back. */
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import {
  ADMIN,
  ANA,
  APP,
  openBridgeRig,
  READER,
  rigWithPeople,
  withPeople,
  type BridgeRig,
} from "../support/bridge-rig.ts";
import { hubDown } from "../support/fake-hub.ts";
import { listIn } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

const sendsOf = (rig: BridgeRig) => rig.hub.calls.filter(({ method }) => method === "sendMessage");

describe("send_message", () => {
  test("sends through the hub; a repeat under one Idempotency-Key carries one key, other callers another", async () => {
    const rig = await rigWithPeople();
    const args = { session_name: "s1", to: ANA, message: "hola" };
    const headers = { "Idempotency-Key": "order-7" };
    const first = await rig.method("api.messages.send_message", args, { headers });
    expect(first.message).toMatchObject({ success: true, status: "pending" });
    await rig.method("api.messages.send_message", args, { headers });
    await rig.method("api.messages.send_message", args);
    await rig.method("api.messages.send_message", args);
    const keys = sendsOf(rig).map(({ args: [, , key] }) => key);
    expect(keys[0]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(3);
    expect(String(keys[0])).not.toContain("order-7");
  });

  test.each([
    [{ message: "hola" }, { type: "text", message: "hola" }],
    [
      { message: "look", message_type: "image", media_url: "https://crm.example/i.jpg" },
      { type: "image", message: { image: { url: "https://crm.example/i.jpg" }, caption: "look" } },
    ],
    [
      { message_type: "voice", media_url: "https://crm.example/a.ogg" },
      { type: "voice", message: { audio: { url: "https://crm.example/a.ogg" }, ptt: true } },
    ],
    [
      { message_type: "location", message: '{"lat":1,"lng":2}' },
      { type: "location", message: { location: { lat: 1, lng: 2 } } },
    ],
  ])("%o is sent as %o", async (given, expected) => {
    const rig = await rigWithPeople();
    const answer = await rig.method("api.messages.send_message", { session_name: "s1", to: ANA, ...given });
    expect(answer.status).toBe(200);
    expect(sendsOf(rig)[0]?.args[1]).toEqual({ to: ANA, ...expected });
  });

  test.each([
    [{ message_type: "image", message: "no url" }, "media_url: is needed"],
    [{ message_type: "image", media_url: "file:///etc/passwd" }, "media_url: use an http(s) URL"],
    [{ message_type: "fax", message: "x" }, "message_type: is not a type that can be sent"],
    [{}, "message: give the text to send"],
    [{ message_type: "poll", message: "[]" }, "message: give a JSON object"],
    [{ to: "abc", message: "x" }, "to: use digits with the country code"],
    [{ to: "12", message: "x" }, "to: use digits with the country code"],
    [{ to: "ana@example.com", message: "x" }, "to: use digits with the country code"],
    [{ message_type: "poll", message: { name: "Lunch?" } }, "message.poll.values: "],
    [{ message_type: "poll", message: { name: "Lunch?", values: ["yes", "yes"] } }, "answers must differ"],
    [{ message_type: "location", message: { lat: 100, lng: 0 } }, "message.location: "],
    [{ message: "x".repeat(65_537) }, "message.text: "],
  ])("%o is refused with the reason, also while the hub is away", async (given, problem) => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    rig.hub.before = () => {
      throw hubDown();
    };
    const answer = await rig.method("api.messages.send_message", { session_name: "s1", to: ANA, ...given });
    expect([answer.status, String(answer.message["error"])]).toEqual([417, expect.stringContaining(problem)]);
  });

  test("a refusal of the hub keeps the hub's status and code", async () => {
    const rig = await rigWithPeople();
    rig.hub.before = ({ method }) => {
      if (method === "sendMessage")
        throw new HubUnavailable("Not on WhatsApp.", { code: "RECIPIENT_NOT_ON_WHATSAPP", status: 422 });
    };
    const answer = await rig.method("api.messages.send_message", {
      session_name: "s1",
      to: ANA,
      message: "x",
    });
    expect([answer.status, answer.message["code"]]).toEqual([422, "RECIPIENT_NOT_ON_WHATSAPP"]);
  });
});

describe("send_message while the hub is away", () => {
  const away = (rig: BridgeRig): void => {
    rig.hub.before = () => {
      throw hubDown();
    };
  };
  const queued = async (rig: BridgeRig, session: string, asked?: { headers: Record<string, string> }) =>
    rig.method("api.messages.send_message", { session_name: session, to: ANA, message: "hola" }, asked);

  test.each(["s1", "Front desk", "12"])(
    "is queued for the session %s, listed, and sent when it is back",
    async (name) => {
      const rig = await rigWithPeople();
      await rig.bridge.idle();
      await rig.bridge.reconcile.sessions();
      away(rig);
      const headers = { "Idempotency-Key": "order-7" };
      const answer = await queued(rig, name, { headers });
      expect([answer.status, answer.message]).toEqual([
        200,
        expect.objectContaining({ success: true, status: "queued", message_id: null }),
      ]);
      const again = await queued(rig, name, { headers });
      expect(again.message["queue_id"]).toBe(answer.message["queue_id"]);
      const listed = await rig.method("api.messages.list_queued", {}, { key: READER });
      expect(listed.message).toMatchObject({
        waiting: 1,
        orders: [{ queue_id: answer.message["queue_id"], session: "s1", to: ANA, status: "queued" }],
      });
      expect((await rig.call("GET", "/readyz")).json).toMatchObject({ checks: { outgoing: { waiting: 1 } } });
      expect((await rig.call("GET", "/metrics")).text).toContain("inbox_bridge_sends_waiting 1");
      rig.hub.before = () => undefined;
      const sent = await until("it is sent", async () => {
        rig.clock.advance(1_000);
        const { message } = await rig.method("api.messages.list_queued", { status: "sent" });
        return listIn(message, "orders")[0];
      });
      expect(sent["queue_id"]).toBe(answer.message["queue_id"]);
      expect((await queued(rig, name, { headers })).message).toMatchObject({
        message_id: sent["message_id"],
        status: "sent",
      });
    },
  );

  test.each([
    ["without a key is not sent later: its caller orders it anew", {}, 0],
    ["under a key waits for its repeat", { "Idempotency-Key": "order-7" }, 1],
  ])("and its caller hung up, %s", async (_what, headers, waiting) => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    await rig.bridge.reconcile.sessions();
    let fail: () => void = () => undefined;
    const failed = new Promise<void>((resolve) => (fail = resolve));
    rig.hub.before = async ({ method }) => {
      if (method === "sendMessage") await failed;
      throw hubDown();
    };
    const path = `${rig.url}/api/method/${APP}.api.messages.send_message`;
    const hangingUp = new AbortController();
    const call = fetch(path, {
      method: "POST",
      headers: { Authorization: `token ${ADMIN}`, "Content-Type": "application/json", ...headers },
      body: JSON.stringify({ session_name: "s1", to: ANA, message: "hola" }),
      signal: hangingUp.signal,
    });
    await until("it is on its way", () => sendsOf(rig).length === 1);
    hangingUp.abort();
    await expect(call).rejects.toThrow();
    await pause(100); // the bridge's end of the connection hears of it
    fail();
    await until("it came back", () => waiting === 0 || rig.log.lines("send.queued").length === 1);
    await rig.bridge.idle();
    expect((await rig.method("api.messages.list_queued")).message["waiting"]).toBe(waiting);
  });

  test("is refused for a session that nobody has told of", async () => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    away(rig);
    expect((await queued(rig, "elsewhere")).status).toBe(503);
  });

  test("can be taken back, one or all, with an admin's key", async () => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    await rig.bridge.reconcile.sessions();
    away(rig);
    const first = await queued(rig, "s1");
    await queued(rig, "s1");
    await queued(rig, "s1");
    await rig.bridge.idle();
    const cancel = (args: Record<string, unknown>, key = ADMIN) =>
      rig.method("api.messages.cancel_queued", args, { key });
    const id = first.message["queue_id"];
    expect((await cancel({ queue_id: id }, READER)).status).toBe(403);
    expect((await cancel({})).status).toBe(417);
    expect((await cancel({ queue_id: "out_none" })).status).toBe(404);
    expect((await cancel({ queue_id: id })).message).toEqual({ success: true, cancelled: 1 });
    expect((await cancel({ all: 1 })).message).toEqual({ success: true, cancelled: 2 });
    expect((await rig.method("api.messages.list_queued")).message["waiting"]).toBe(0);
  });

  test("is the same for a CRM that imports the bridge", async () => {
    const rig = await openBridgeRig({ given: withPeople, overrides: { serve: false } });
    await rig.bridge.idle();
    await rig.bridge.reconcile.sessions();
    away(rig);
    const send = rig.bridge.methods.find(({ name }) => name === "api.messages.send_message");
    const order = { session_name: "s1", to: ANA, message: "hola" };
    expect(await send?.run(order, { caller: "crm", idempotencyKey: null })).toMatchObject({
      status: "queued",
    });
  });
});
