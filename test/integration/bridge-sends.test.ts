/** Sending through the bridge: what reaches the hub, under which key, and how a refusal comes back. */
import { describe, expect, test } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import { ANA, rigWithPeople, type BridgeRig } from "../support/bridge-rig.ts";

describe("send_message", () => {
  const sendsOf = (rig: BridgeRig) => rig.hub.calls.filter(({ method }) => method === "sendMessage");

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
  ])("%o is refused with the reason", async (given, problem) => {
    const rig = await rigWithPeople();
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
