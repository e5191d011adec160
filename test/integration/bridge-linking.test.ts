/** Linking an account through the bridge: a code to scan, or one to type. */
import { describe, expect, test } from "vitest";
import { HubUnavailable } from "../../bridge/errors.ts";
import { APP, READER, rigWithPeople } from "../support/bridge-rig.ts";

describe("linking an account", () => {
  const notReady = () =>
    new HubUnavailable("No code is on show yet; ask again in a moment.", {
      code: "QR_NOT_READY",
      status: 404,
    });

  test("a code to scan that will never come tells what to do, one that is on its way to ask again", async () => {
    const rig = await rigWithPeople();
    rig.hub.turns("s1", "disconnected");
    rig.hub.before = ({ method }) => {
      if (method === "qrCode") throw notReady();
    };
    const ask = () => rig.method("api.session.get_qr_code", { session_id: "s1" });
    const never = await ask();
    expect([never.status, never.message["code"]]).toEqual([409, "SESSION_NOT_CONNECTED"]);
    expect(never.message["error"]).toContain("call connect first");
    await rig.method("api.session.connect", { session_id: "s1" });
    const soon = await ask();
    expect([soon.status, soon.message["code"]]).toEqual([404, "QR_NOT_READY"]);
  });

  test("a code to type is asked for with the number, and begins the linking", async () => {
    const rig = await rigWithPeople();
    rig.hub.turns("s1", "disconnected");
    const ask = (given: object, more = {}) => rig.method("api.session.get_pairing_code", { ...given }, more);
    const code = await ask({ session_id: "s1", phone_number: "+34 600-999-888" });
    expect(code.message).toMatchObject({ success: true, data: { pairingCode: "ABCD-1234" } });
    expect(code.headers.get("cache-control")).toBe("no-store");
    expect((await ask({ session_id: "s1" })).status).toBe(200);
    const asked = rig.hub.calls.filter(({ method }) => method === "pairingCode").map(({ args }) => args);
    expect(asked).toEqual([
      ["s1", "34600999888"],
      ["s1", undefined],
    ]);
    expect(rig.bridge.connections.get("s1")).toMatchObject({ connectOrderedBy: "crm" });
    const wrong = await ask({ session_id: "s1", phone_number: "front desk" });
    expect([wrong.status, wrong.message["error"]]).toEqual([
      417,
      "phone_number: use the digits of the phone number, with its country code",
    ]);
    expect((await ask({ session_id: "s1" }, { key: READER })).status).toBe(403);
    const path = `/api/method/${APP}.api.session.get_pairing_code?session_id=s1`;
    expect((await rig.call("GET", path)).status).toBe(403);
    expect(rig.log.text()).not.toContain("ABCD-1234");
    expect(rig.log.text()).not.toContain("34600999888");
  });
});
