/** Force-cleanup over REST: who may, what it answers, and what becomes of odd requests. */
import { describe, expect, test } from "vitest";
import { isExactly, listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import { cleanupStepSchema, sessionSchema } from "../../hub/contract/resources.ts";

describe("POST /api/sessions/{id}/force-cleanup", () => {
  test("reports each step of a soft cleanup and the session, connected again", async () => {
    const rig = await openHttpRig();
    await rig.session();
    const { status, data } = await rig.post("/api/sessions/s1/force-cleanup");
    expect(status).toBe(200);
    expect(data).toMatchObject({ sessionId: "s1", mode: "soft", quarantineId: null, undoUntil: null });
    const steps = listIn(data, "steps");
    for (const step of steps) isExactly(cleanupStepSchema, step);
    expect(steps.map(({ name, ok }) => `${String(name)} ${String(ok)}`)).toEqual(
      ["socket", "qr", "caches", "locks", "credentials", "settle"].map((name) => `${name} true`),
    );
    isExactly(sessionSchema, data["session"]);
    expect(recordOf(data["session"])).toMatchObject({ state: "connected" });
    const told = await rig.get("/api/events?after=0&types=session.cleanup");
    expect(listIn(told.data, "events")[0]).toMatchObject({
      event: "session.cleanup",
      data: { mode: "soft", session_db_id: 1 },
    });
  });

  test("is for administrators, of sessions that they see", async () => {
    const rig = await openHttpRig();
    await rig.session();
    const reader = await rig.makeKey({ scopes: ["read", "send"] });
    const other = await rig.makeKey({ sessions: ["s2"] });
    const path = "/api/sessions/s1/force-cleanup";
    expect((await rig.post(path, {}, { key: reader })).status).toBe(403);
    expect((await rig.get(path, { key: reader })).status).toBe(403);
    expect((await rig.post(path, {}, { key: other })).json).toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect((await rig.post("/api/sessions/nobody/force-cleanup")).status).toBe(404);
    expect((await rig.post(path, { mode: "hard" })).json).toMatchObject({ code: "VALIDATION_ERROR" });
    expect((await rig.post(path, { purge: true })).json).toMatchObject({ code: "VALIDATION_ERROR" });
  });

  test("with nothing to clean is a success, and there is nothing to undo", async () => {
    const rig = await openHttpRig();
    await rig.session("s1", { connected: false });
    const { status, data } = await rig.post("/api/sessions/s1/force-cleanup", { mode: "soft" });
    expect(status).toBe(200);
    expect(listIn(data, "steps").every(({ ok }) => ok === true)).toBe(true);
    const undo = await rig.post("/api/sessions/s1/force-cleanup/undo");
    expect(undo.status).toBe(404);
    expect(undo.json).toMatchObject({ code: "NOT_FOUND" });
  });

  test("undo that comes too late is gone", async () => {
    const rig = await openHttpRig();
    await rig.session("s1", { connected: false });
    rig.whatsapp
      .account("s1")
      .whenOpened((account) => account.shows("code", new Date(rig.clock.now().getTime() + 60_000)));
    await rig.store.auth.commit("s1", { creds: Buffer.from("c"), fingerprint: "f", keys: [], intake: [] });
    const { data } = await rig.post("/api/sessions/s1/force-cleanup", { mode: "quarantine" });
    expect(data).toMatchObject({ mode: "quarantine", quarantineId: expect.stringMatching(/^qr_/) as string });
    const { quarantineId, undoUntil } = data;
    expect((await rig.get("/api/sessions/s1/force-cleanup")).data).toEqual({
      logins: [
        {
          ...{ quarantineId, undoUntil },
          reason: expect.any(String) as string,
          at: rig.clock.now().toISOString(),
        },
      ],
    });
    rig.clock.advance(7 * 86_400_000);
    const undo = await rig.post("/api/sessions/s1/force-cleanup/undo", {
      quarantineId: data["quarantineId"],
    });
    expect(undo.status).toBe(410);
    expect(undo.json).toMatchObject({ code: "UNDO_EXPIRED" });
  });
});
