/** W10 and W23: one login in two programs, one number in two sessions. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { exportLogin, importLogins } from "../../hub/safekeeping/data-folder.ts";
import { systemSchedule, type Schedule } from "../../hub/sessions/schedule.ts";
import { logBook } from "../support/log-book.ts";
import { folderOf, openSessionsHub, type SessionsHub } from "../support/sessions-hub.ts";
import { until } from "../support/until.ts";
import { useEmulator } from "../whatsapp/test-bed.ts";

const bed = useEmulator();
const log = logBook();

/** The minute after a login was taken over is over after two seconds; deadlines stay as they are. */
const MINUTE_MS = 60_000;
const SHORT_MS = 2_000;
const hurried: Schedule = (ms, work) => systemSchedule(ms === MINUTE_MS ? SHORT_MS : ms, work);

const aNumber = () => bed.emulator().createAccount({ preset: "small", size: { messages: 0 } }).number;

/** The login of a session that goes on connecting, as another program would have it. */
async function copyOf(hub: SessionsHub): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "w-login-"));
  onTestFinished(() => rm(copy, { recursive: true, force: true }));
  await hub.startAgain(async () => {
    await exportLogin(folderOf(hub), { sessionId: "s1", to: join(copy, "s1") }, log);
  });
  return join(copy, "s1");
}

test("W10: two programs with one login end with one of them connected, the other replaced, and few connections", async () => {
  const emulator = bed.emulator();
  const account = aNumber();
  const one = await openSessionsHub(emulator, { schedule: hurried });
  await one.linked("s1", account);
  const login = await copyOf(one);
  const other = await openSessionsHub(emulator, { schedule: hurried });
  await other.startAgain(async () => {
    await importLogins(folderOf(other), { from: login, sessionId: "s1" }, log);
  });
  await one.sessions.connect("s1", { waitMs: 8000 });
  await one.reaches("s1", "connected");

  const since = emulator.lastEvent();
  await other.sessions.connect("s1", { waitMs: 8000 });
  await one.reaches("s1", "replaced");
  await other.reaches("s1", "connected");
  expect(await one.sessions.get("s1")).toMatchObject({ reason: { code: "440" } });
  // One answer of each: the first gives up at the second time.
  const opened = emulator.events(since, { types: ["connection.opened"] });
  expect(opened.length).toBeLessThanOrEqual(4);
  expect(emulator.account(account).devices).toHaveLength(1);

  // Nobody's login was destroyed, and it is the people who decide who goes on.
  for (const hub of [one, other]) expect(await hub.store.auth.quarantined("s1")).toEqual([]);
  await other.sessions.disconnect("s1");
  await one.sessions.connect("s1", { waitMs: 8000 });
  await one.reaches("s1", "connected");
});

describe("W23: a number that a session has", () => {
  test("scanned in a second session is refused there; the first one never notices", async () => {
    const emulator = bed.emulator();
    const account = aNumber();
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", account);
    const before = await hub.sessions.get("s1");
    const [device] = emulator.account(account).devices;
    await hub.sessions.create({ sessionId: "s2" });
    await hub.sessions.connect("s2");
    const { qr } = await hub.sessions.qr("s2", 10_000);
    await emulator.scanQr(qr, account);
    const refused = await hub.reaches("s2", "number_in_use");
    expect(refused).toMatchObject({ phoneNumber: null, reason: { code: "number_in_use" } });
    expect(refused.reason?.text).toContain("(s1)");
    await until("only the first device", () => emulator.account(account).devices.length === 1);
    expect(emulator.account(account).devices[0]?.device).toBe(device?.device);
    expect(await hub.sessions.get("s1")).toMatchObject({
      state: "connected",
      lostAt: null,
      connectedAt: before.connectedAt,
    });
    emulator.receive({ account, kind: "text", text: "still here" });
    const said = async (sessionId: string): Promise<string[]> => {
      const page = await hub.store.inbox.messages({ sessionId, order: "asc", page: 1, limit: 10 });
      return page.items.map(({ content }) => content);
    };
    await until("the message", async () => (await said("s1")).includes("still here"));
    expect(await said("s2")).toEqual([]);
  });

  test.each(["while the hub runs", "over its restart"])(
    "stays with it when a deleted session of the same phone comes back, %s",
    async (when) => {
      const emulator = bed.emulator();
      const account = aNumber();
      const hub = await openSessionsHub(emulator);
      await hub.linked("shop", account);
      await hub.sessions.remove("shop", { logout: false });
      await hub.linked("shop2", account);
      const device = emulator.account(account).devices[1]?.device;
      await hub.sessions.create({ sessionId: "shop" });
      // The one that works reconnects first, then the other connects, then it reconnects again.
      await (when === "while the hub runs" ? hub.sessions.restart("shop2") : hub.startAgain());
      await hub.reaches("shop2", "connected");
      await hub.sessions.connect("shop");
      expect(await hub.reaches("shop", "number_in_use")).toMatchObject({ phoneNumber: null });
      await (when === "while the hub runs" ? hub.sessions.restart("shop2") : hub.startAgain());
      expect(await hub.reaches("shop2", "connected")).toMatchObject({ phoneNumber: account });
      await until("only its device", () => emulator.account(account).devices.length === 1);
      expect(emulator.account(account).devices[0]?.device).toBe(device);
      expect(await hub.store.auth.quarantined("shop2")).toEqual([]);
    },
  );

  test("is not held by a session whose login is gone", async () => {
    const emulator = bed.emulator();
    const account = aNumber();
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", account);
    await hub.startAgain((folder) => {
      const db = new Database(join(folder, "hub.db"));
      db.prepare("UPDATE auth_creds SET v = substr(v, 1, 20) WHERE session = 1").run();
      db.close();
    });
    expect(await hub.reaches("s1", "logged_out")).toMatchObject({ phoneNumber: account });
    await hub.linked("s2", account);
    // A code is on show there, with nobody who scans it.
    await hub.sessions.connect("s1", { waitMs: 8000 });
    expect(await hub.reaches("s1", "qr")).toMatchObject({ phoneNumber: null });
    await hub.startAgain();
    expect(await hub.reaches("s2", "connected")).toMatchObject({ phoneNumber: account });
    expect(await hub.store.auth.quarantined("s2")).toEqual([]);
  });

  test("is not imported a second time, as the same login or as another one", async () => {
    const emulator = bed.emulator();
    const account = aNumber();
    const hub = await openSessionsHub(emulator);
    await hub.linked("s1", account);
    const login = await copyOf(hub);
    // Another device of the same number, in a hub of its own.
    const other = await openSessionsHub(emulator);
    await other.linked("s1", account);
    const otherLogin = await copyOf(other);

    await hub.startAgain(async () => {
      for (const from of [login, otherLogin]) {
        const [result] = await importLogins(folderOf(hub), { from, sessionId: "s2" }, log);
        expect(result?.refused).toEqual(expect.any(String));
      }
    });
    expect((await hub.sessions.list()).map(({ sessionId }) => sessionId)).toEqual(["s1"]);
    await hub.sessions.connect("s1", { waitMs: 8000 });
    await hub.reaches("s1", "connected");
    expect(emulator.account(account).devices).toHaveLength(2);
  });
});
