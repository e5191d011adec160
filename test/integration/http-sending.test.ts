/** The limits of sending as callers of the API meet them. */
import { describe, expect, test } from "vitest";
import { adviceOnRefusal } from "../../hub/core/advice-on-refusals.ts";
import { inSpanish } from "../../hub/core/advice.ts";
import { NO_LIMITS } from "../../hub/inbox/send-limits.ts";
import { hours } from "../support/fixed-clock.ts";
import { openHttpRig, type HttpRig } from "../support/http-rig.ts";
import { until } from "../support/until.ts";

const send = (rig: HttpRig, to: string, change: object = {}) =>
  rig.post("/api/messages/s1/send", { to, type: "text", message: `to ${to}`, ...change });
const person = (n: number): string => `34600333${String(n).padStart(3, "0")}`;

interface Shown {
  state: string;
  status: string;
  reason: { code: string; text: string; adviceEs: string } | null;
  sending: {
    waiting: number;
    enabled: boolean;
    restricted: { until: string | null; heldUntil: string; type: string | null } | null;
    newChats: { opened: number; limit: number | null; freeAt: string | null };
  };
}
const shown = async (rig: HttpRig): Promise<Shown> =>
  (await rig.get("/api/sessions/s1")).data as unknown as Shown;

describe("sending over the API", () => {
  test("as many are kept as may wait; the rest is told when to come again", async () => {
    const rig = await openHttpRig({ limits: { ...NO_LIMITS, perMinute: 20, queue: 20 } });
    await rig.session("s1");
    rig.link.goesAway();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => send(rig, person(n), { queue: true })),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused).toHaveLength(180);
    for (const { status, headers, json } of refused) {
      expect([status, json["code"]]).toEqual([429, "MESSAGE_RATE_LIMIT_EXCEEDED"]);
      expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(3);
    }
    expect((await shown(rig)).sending.waiting).toBe(20);
    expect((await rig.get("/metrics")).text).toMatch(/sends_waiting\{what="messages"\} 20/);
  }, 30_000);

  test("more new chats than a day has: refused with the time, or kept with it", async () => {
    const rig = await openHttpRig({ limits: { ...NO_LIMITS, newChatsPerDay: 1 } });
    await rig.session("s1");
    expect((await send(rig, person(1))).status).toBe(200);
    const refused = await send(rig, person(2));
    const free = new Date(rig.clock.now().getTime() + hours(24)).toISOString();
    expect([refused.status, refused.json["code"]]).toEqual([422, "RECIPIENT_RESTRICTED"]);
    expect(refused.json["details"]).toEqual({ cause: "new_chats", until: free });
    const kept = await send(rig, person(2), { queue: true });
    expect(kept.data).toMatchObject({ status: "pending", eta: free });
    expect((await shown(rig)).sending).toMatchObject({
      waiting: 1,
      newChats: { opened: 1, limit: 1, freeAt: free },
    });
  });

  test("a restriction is shown in the session: its state, why, until when; unknown where WhatsApp does not say", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    rig.link.word = { code: "463" };
    const refused = await send(rig, person(1));
    const began = rig.clock.now().toISOString();
    const until24 = new Date(rig.clock.now().getTime() + hours(24)).toISOString();
    rig.clock.advance(hours(1));
    expect([refused.status, refused.json["code"]]).toEqual([422, "RECIPIENT_RESTRICTED"]);
    expect(refused.json["details"]).toMatchObject({ whatsappCode: "463", until: until24 });
    expect(await shown(rig)).toMatchObject({
      state: "restricted",
      status: "connected",
      isConnected: true,
      reason: {
        code: "463",
        text: expect.stringContaining("does not say until when") as string,
        blame: "whatsapp",
        adviceEs: inSpanish(adviceOnRefusal("463") ?? ""),
        at: began,
      },
      sending: { restricted: { until: null, heldUntil: until24, type: null } },
    });
    rig.clock.advance(hours(25));
    expect(await shown(rig)).toMatchObject({ state: "connected", sending: { restricted: null } });
  });

  test("a session's sending is switched off and on by its settings", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const set = (sendingEnabled: boolean) => rig.put("/api/sessions/s1/settings", { sendingEnabled });
    expect((await set(false)).data).toMatchObject({ sendingEnabled: false });
    expect((await send(rig, person(1))).status).toBe(409);
    expect((await send(rig, person(1), { queue: true })).data).toMatchObject({ status: "pending" });
    expect((await shown(rig)).sending).toMatchObject({ enabled: false, waiting: 1 });
    expect(rig.link.sent).toEqual([]);
    await set(true);
    await until("it went", () => rig.link.sent.length === 1);
  }, 20_000);
});
