/** Figures of sessions, on the store and over the surface. */
import { describe, expect, test } from "vitest";
import { alertOfMove } from "../../hub/alerts/alert.ts";
import { ALL_REASONS } from "../support/reasons.ts";
import { hasSpanish } from "../../hub/core/advice.ts";
import { noFigures, type SessionFigures } from "../../hub/core/session-figures.ts";
import { sessionFiguresSchema } from "../../hub/contract/session-standing.ts";
import { CAN_WAIT, countShed } from "../../hub/core/pressure.ts";
import { isExactly, openHttpRig } from "../support/http-rig.ts";
import { minutes, seconds } from "../support/fixed-clock.ts";
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

  test("of a session that was never connected: each try that fails counts, and people are called", async () => {
    const rig = await openSessionRig();
    const called: (string | undefined)[] = [];
    rig.onMoved = (previous, next, figures) => called.push(alertOfMove(previous, next, figures, 5)?.cause);
    await rig.sessions.create({ sessionId: "s1" });
    await rig.sessions.connect("s1");
    await rig.settle();
    rig.account("s1").closes(503);
    await rig.pass(minutes(1));
    expect(called).not.toContain("not_reconnecting");
    // Every next try finds nobody who answers.
    await rig.pass(minutes(10));
    const { opened, failedInARow } = await rig.sessions.figures("s1");
    expect([(await rig.row("s1")).state, opened, failedInARow >= 5]).toEqual(["starting", 0, true]);
    expect(called).toContain("not_reconnecting");
  });

  test("that an earlier version wrote are read: what it did not count begins with nothing", async () => {
    const rig = await openSessionRig();
    await rig.sessions.create({ sessionId: "s1" });
    const { unreadable, ...older } = { ...noFigures, attempts: 7 };
    // As the row lies there.
    await rig.store.figures.save("s1", older as SessionFigures);
    expect(await rig.sessions.figures("s1")).toEqual({ ...older, unreadable });
    rig.sessions.countUnreadable("s1", { ...unreadable, came: 2 });
    expect(await rig.sessions.figures("s1")).toMatchObject({ attempts: 7, unreadable: { came: 2 } });
  });

  test("are shown to readers", async () => {
    const rig = await openHttpRig();
    await rig.session("s1");
    const { status, data } = await rig.get("/api/sessions/s1/figures");
    expect(status).toBe(200);
    isExactly(sessionFiguresSchema, data);
    expect(data).toMatchObject({ attempts: 1, opened: 1, startToConnectedMs: { count: 1 } });

    const all = await rig.get("/api/figures");
    expect(all.data).toEqual({ figures: [{ id: 1, sessionId: "s1", ...data }] });
    const foreign = await rig.makeKey({ sessions: ["s2"] });
    expect((await rig.get("/api/figures", { key: foreign })).data).toEqual({ figures: [] });
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

  test("a hub that cannot keep up says that it is not ready, and what it puts off", async () => {
    const busy = { lagMs: () => 3000, isHigh: () => true, ...countShed(() => true) };
    const rig = await openHttpRig({
      change: (ctx) => ({ ...ctx, pressure: busy }),
    });
    const { status, json } = await rig.get("/readyz");
    expect(status).toBe(503);
    expect(json).toMatchObject({ ready: false, checks: { store: true, load: false } });
    expect((await rig.get("/health")).json).toMatchObject({ overloaded: true, putOff: CAN_WAIT });
    const calm = await openHttpRig();
    expect((await calm.get("/health")).json).toMatchObject({ overloaded: false, putOff: [] });
  });
});

test("every reason has its advice in Spanish, too", () => {
  for (const { advice } of ALL_REASONS) expect([advice, hasSpanish(advice)]).toEqual([advice, true]);
});
