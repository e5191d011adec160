/** Figures of sessions, on the store and over the surface. */
import { describe, expect, test } from "vitest";
import { ALL_REASONS } from "../support/reasons.ts";
import { hasSpanish } from "../../hub/core/advice.ts";
import { sessionFiguresSchema } from "../../hub/contract/session-standing.ts";
import { isExactly, openHttpRig } from "../support/http-rig.ts";
import { seconds } from "../support/fixed-clock.ts";
import { openSessionRig } from "../support/session-rig.ts";

describe("figures of a session", () => {
  test("outlive the process", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.closes(428);
    await rig.pass(seconds(1));
    account.closes(503);
    await rig.pass(seconds(6));
    account.opens();
    await rig.settle();
    const before = await rig.sessions.figures("s1");
    expect(before).toMatchObject({ attempts: 4, opened: 2, reconnects: 1, failedInARow: 0 });
    expect(before.losses.map(({ code }) => code)).toEqual(["503", "428"]);
    expect(before.scanToOpenMs).toHaveLength(1);

    await rig.startAgain();
    expect(await rig.sessions.figures("s1")).toMatchObject({ attempts: 5, opened: 2, reconnects: 1 });
  });

  test("are shown to readers", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { status, data } = await rig.get("/api/sessions/s1/figures");
    expect(status).toBe(200);
    isExactly(sessionFiguresSchema, data);
    expect(data).toMatchObject({ attempts: 1, opened: 1, startToConnectedMs: { count: 1 } });
  });
});

describe("figures of the hub", () => {
  test("are for this machine, or for a key that may read", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { status, text, headers } = await rig.get("/metrics", { key: null });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toContain("text/plain");
    expect(text).toContain('inbox_hub_sessions{state="connected"} 1');
    expect(text).toContain("inbox_hub_intake_open 0");
    expect(text).toContain('inbox_hub_outbox_deliveries{state="pending"} 0');
    expect(text).toContain("inbox_hub_nodejs_eventloop_lag_p99_seconds");
    const proxied = { headers: { "X-Forwarded-For": "203.0.113.9" } };
    expect((await rig.get("/metrics", { key: null, ...proxied })).status).toBe(401);
    expect(
      (await rig.get("/metrics", { key: await rig.makeKey({ scopes: ["send"] }), ...proxied })).status,
    ).toBe(403);
    expect((await rig.get("/metrics", proxied)).status).toBe(200);
  });

  test("a hub that cannot keep up says that it is not ready", async () => {
    const rig = await openHttpRig({
      change: (ctx) => ({ ...ctx, pressure: { lagMs: () => 3000, isHigh: () => true } }),
    });
    const { status, json } = await rig.get("/readyz");
    expect(status).toBe(503);
    expect(json).toMatchObject({ ready: false, checks: { store: true, load: false } });
  });
});

test("every reason has its advice in Spanish, too", () => {
  for (const { advice } of ALL_REASONS) expect([advice, hasSpanish(advice)]).toEqual([advice, true]);
});
