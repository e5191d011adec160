/** Force-cleanup and its undo, on real connections and the real store: nothing is thrown away, and every step is told. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { CLEANUP_STEPS, type CleanupReport } from "../../hub/core/cleanup.ts";
import { createLogins } from "../../hub/sessions/logins.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { openSessionRig, aTurn } from "../support/session-rig.ts";
import { openSessionsHub, type SessionsHub } from "../support/sessions-hub.ts";
import { until } from "../support/until.ts";
import { aNewSession } from "../support/builders.ts";
import { fixedClock, hours, seconds } from "../support/fixed-clock.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();

const done = ({ steps }: CleanupReport) => steps.map(({ name, ok }) => `${name} ${ok ? "ok" : "failed"}`);
const ALL_DONE = CLEANUP_STEPS.map((name) => `${name} ok`);

async function snapshots({ folder }: SessionsHub): Promise<string[]> {
  return (await readdir(join(folder, "vault")).catch(() => [])).filter((name) => name.endsWith(".snapshot"));
}

async function linkedHub() {
  const emulator = bed.emulator();
  const { number } = emulator.createAccount({ preset: "small" });
  const hub = await openSessionsHub(emulator);
  await hub.linked("s1", number);
  return { emulator, number, hub, devices: () => emulator.account(number).devices.length };
}

describe("W24: a healthy session", () => {
  test("is connected anew with its login, and nothing is put away", async () => {
    const { hub, devices } = await linkedHub();
    const { report, session } = await hub.sessions.forceCleanup("s1", { mode: null });
    expect(done(report)).toEqual(ALL_DONE);
    expect(report).toMatchObject({ sessionId: "s1", mode: "soft", quarantineId: null, undoUntil: null });
    expect(session.state).toBe("connected");
    expect(devices()).toBe(1);
    expect(await snapshots(hub)).toEqual([]);
    const rows = await hub.store.events.after({ after: 0, limit: 100, sessions: ["s1"] });
    expect(rows.map(({ body }) => (JSON.parse(body) as { event: string }).event)).toContain(
      "session.cleanup",
    );
  });

  test("put into quarantine shows a new code, and undo brings it back with the same device", async () => {
    const { hub, devices, emulator, number } = await linkedHub();
    const { report, session } = await hub.sessions.forceCleanup("s1", { mode: "quarantine" });
    expect(done(report)).toEqual(ALL_DONE);
    expect(session.state).toBe("qr");
    expect((await hub.sessions.qr("s1", 5000)).qr).not.toBe("");
    expect(await snapshots(hub)).toHaveLength(1);
    // A copy is sealed: neither rows nor names of keys can be read in it.
    const [name = ""] = await snapshots(hub);
    const sealed = await readFile(join(hub.folder, "vault", name), "latin1");
    expect(sealed).not.toContain("pre-key");

    const back = await hub.sessions.undoCleanup("s1", report.quarantineId);
    expect(back.state).toBe("connected");
    expect(devices()).toBe(1);
    emulator.receive({ account: number, kind: "text", text: "still here" });
    await until("the message", async () => (await hub.store.inbox.stats("s1", { dayStart: 0 })).received > 0);
  });

  test("that was linked anew after a quarantine keeps both logins when the old one comes back", async () => {
    const { hub, devices, emulator, number } = await linkedHub();
    const { report } = await hub.sessions.forceCleanup("s1", { mode: "quarantine" });
    const { qr } = await hub.sessions.qr("s1", 5000);
    await emulator.scanQr(qr, number);
    await hub.reaches("s1", "connected");
    expect(devices()).toBe(2);
    await hub.sessions.undoCleanup("s1", null);
    const away = await hub.store.auth.quarantined("s1");
    expect(away.map(({ id }) => id)).not.toContain(report.quarantineId);
    expect(away).toHaveLength(1);
    await hub.sessions.undoCleanup("s1", away[0]?.id ?? "");
    await hub.reaches("s1", "connected");
    expect(devices()).toBe(2);
  });

  test("that is retired is unlinked at WhatsApp, and that cannot be undone", async () => {
    const { hub, devices } = await linkedHub();
    const { report, session } = await hub.sessions.forceCleanup("s1", { mode: "retire" });
    expect(done(report)).toEqual(ALL_DONE);
    expect(report.undoUntil).toBeNull();
    expect(session).toMatchObject({ state: "qr", phoneNumber: null });
    expect(devices()).toBe(0);
    await expect(hub.sessions.undoCleanup("s1", report.quarantineId)).rejects.toMatchObject({
      code: "UNDO_EXPIRED",
    });
  });

  test("whose copy cannot be written keeps its login and connects again with it", async () => {
    const { hub, devices } = await linkedHub();
    const vault = join(hub.folder, "vault");
    await writeFile(vault, "a file where the folder should be");
    const { report } = await hub.sessions.forceCleanup("s1", { mode: "quarantine" });
    expect(done(report)).toEqual(ALL_DONE.with(4, "credentials failed"));
    expect(report.steps[4]?.error).not.toContain(hub.folder);
    await hub.reaches("s1", "connected");
    expect(devices()).toBe(1);
  });
});

describe("W24: a session in trouble", () => {
  test("that hangs before WhatsApp answers is connected by the cleanup", async () => {
    const { hub, emulator, number } = await linkedHub();
    emulator.fault({ kind: "stall-upgrade", account: number, count: 1 });
    await hub.sessions.restart("s1");
    await until("the hanging try", async () => (await hub.sessions.get("s1")).state === "reconnecting");
    const { report, session } = await hub.sessions.forceCleanup("s1", { mode: null });
    expect(report.mode).toBe("soft");
    expect(session.state).toBe("connected");
  });

  test("that was logged out gets a fresh code", async () => {
    const { hub, emulator, number } = await linkedHub();
    emulator.unlink(number);
    await hub.reaches("s1", "logged_out");
    const { report, session } = await hub.sessions.forceCleanup("s1", { mode: null });
    expect(report).toMatchObject({ mode: "quarantine", quarantineId: null });
    expect(done(report)).toEqual(ALL_DONE);
    expect(session.state).toBe("qr");
    await expect(hub.sessions.undoCleanup("s1", null)).rejects.toMatchObject({ code: "UNDO_EXPIRED" });
  });

  test("that is not there is not found, and one that never was linked has nothing to clean", async () => {
    const hub = await openSessionsHub(bed.emulator());
    await expect(hub.sessions.forceCleanup("nobody", { mode: null })).rejects.toMatchObject({
      code: "SESSION_NOT_FOUND",
    });
    await hub.sessions.create({ sessionId: "s1" });
    const { report, session } = await hub.sessions.forceCleanup("s1", { mode: null });
    expect(done(report)).toEqual(ALL_DONE);
    expect(session.state).toBe("stopped");
    await expect(hub.sessions.undoCleanup("s1", null)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("whose link never closes is cleaned all the same", async () => {
    const rig = await openSessionRig();
    const account = await rig.connected("s1");
    account.hangsOnClose();
    await rig.pass(seconds(61));
    account.says({ type: "restart_required" }, account.links.at(-1));
    await aTurn();
    const reports: CleanupReport[] = [];
    const cleaning = rig.sessions
      .forceCleanup("s1", { mode: "soft" })
      .then(({ report }) => reports.push(report));
    for (let second = 0; second < 20 && reports.length === 0; second++)
      await rig.time.pass(seconds(1), aTurn);
    await cleaning;
    expect(reports.map(done)).toEqual([ALL_DONE]);
  });
});

describe("W24: undo", () => {
  test("is over after seven days, and what was put away is destroyed after thirty", async () => {
    const clock = fixedClock();
    const store = await openSqliteStore({ file: ":memory:", publicUrl: "http://hub.example", clock });
    const dir = await mkdtemp(join(tmpdir(), "hub-vault-"));
    onTestFinished(async () => {
      await store.close();
      await rm(dir, { recursive: true });
    });
    const vault = await createVault({ masterKey: randomBytes(32), keys: store.vault });
    const logins = createLogins({ auth: store.auth, keys: store.vault, vault, dir, clock });
    await store.sessions.create(aNewSession());
    await store.auth.commit("s1", { creds: Buffer.from("c"), fingerprint: "f", keys: [], intake: [] });
    const putAway = await logins.quarantine("s1", "test", { isUndoable: true });
    const id = putAway?.quarantineId ?? "";
    expect(putAway?.undoUntil).toEqual(new Date(clock.now().getTime() + hours(7 * 24)));
    clock.advance(hours(7 * 24) - 1);
    expect(await logins.sweep()).toEqual({ quarantined: 0, copies: 0 });
    expect(await logins.toBringBack("s1", id)).toMatchObject({ id });
    clock.advance(1);
    await expect(logins.toBringBack("s1", id)).rejects.toMatchObject({ code: "UNDO_EXPIRED" });
    expect(await readdir(dir)).toHaveLength(1);
    clock.advance(hours(24 * 24));
    expect(await logins.sweep()).toEqual({ quarantined: 1, copies: 1 });
    expect(await store.auth.quarantined("s1")).toEqual([]);
    expect(await readdir(dir)).toEqual([]);
  });
});

/** What W9 does to a row of one session, between two lives of the hub. */
const DAMAGES: Record<string, (db: Database.Database) => void> = {
  "a flipped byte": (db) =>
    void db
      .prepare(
        "UPDATE auth_creds SET v = CAST(substr(v, 1, 40) || x'00' || substr(v, 42) AS BLOB) WHERE session = 1",
      )
      .run(),
  "a row cut short": (db) =>
    void db.prepare("UPDATE auth_creds SET v = substr(v, 1, 20) WHERE session = 1").run(),
  "a row that is gone": (db) => void db.prepare("DELETE FROM auth_creds WHERE session = 1").run(),
  "an unreadable data key": (db) =>
    void db.prepare("UPDATE data_key SET wrapped = zeroblob(65) WHERE scope = 'session:s1'").run(),
  "a data key that is gone": (db) => void db.prepare("DELETE FROM data_key WHERE scope = 'session:s1'").run(),
};

describe("W9: damage", () => {
  test.each(Object.keys(DAMAGES))(
    "%s sets that session aside alone, and it gets a fresh code",
    async (damage) => {
      const { hub, emulator } = await linkedHub();
      const other = emulator.createAccount({ preset: "small" });
      await hub.linked("s2", other.number);
      await hub.startAgain((folder) => {
        const db = new Database(join(folder, "hub.db"));
        DAMAGES[damage]?.(db);
        db.close();
      });
      await hub.reaches("s2", "connected");
      expect(await hub.reaches("s1", "logged_out")).toMatchObject({ reason: { code: "login_damaged" } });
      await hub.sessions.connect("s1", { waitMs: 8000 });
      const { number } = emulator.createAccount({ preset: "small" });
      const { qr } = await hub.sessions.qr("s1", 8000);
      await emulator.scanQr(qr, number);
      expect(await hub.reaches("s1", "connected")).toMatchObject({ phoneNumber: number });
    },
  );
});
