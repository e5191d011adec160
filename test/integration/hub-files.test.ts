/** The operator's commands on the files of a hub: copies, putting them back, a new master key. Each leaves its row in the audit log. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../hub/config.ts";
import { startHub, type Hub } from "../../hub/hub.ts";
import { createLog } from "../../hub/log.ts";
import { BufferJSON, initAuthCreds, proto } from "../../hub/whatsapp/baileys.ts";
import { runHubCommand } from "../../scripts/hub/program.ts";
import { listIn, recordOf } from "../support/http-rig.ts";

const API_KEY = "operator-key-of-at-least-32-characters";

/** A hub that may be started and stopped, and the commands of its operator. */
function aFolder() {
  const dir = mkdtempSync(join(tmpdir(), "hub-files-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const env = { HUB_DATA_DIR: dir, HUB_PORT: "0", HUB_API_KEY: API_KEY, HUB_LOG_LEVEL: "silent" };
  let hub: Hub | null = null;
  const stop = async (): Promise<void> => {
    await hub?.stop();
    hub = null;
  };
  onTestFinished(stop);
  return {
    dir,
    start: async () => {
      hub = await startHub(readConfig(env), createLog("silent"));
      return hub;
    },
    stop,
    run: async (...args: string[]) => {
      const said = { out: "", err: "" };
      const code = await runHubCommand(args, {
        env: { ...env, ...(hub === null ? {} : { HUB_URL: hub.url }) },
        now: () => new Date(),
        out: (text) => void (said.out += `${text}\n`),
        err: (text) => void (said.err += `${text}\n`),
      });
      return { code, ...said };
    },
    createSession: async (sessionId: string) => {
      const response = await fetch(`${hub?.url ?? ""}/api/sessions`, {
        method: "POST",
        headers: { "X-API-Key": API_KEY, "Content-Type": "application/json" },
        body: JSON.stringify({ sessionId }),
      });
      expect(response.status).toBe(201);
    },
  };
}

test("a copy is made while the hub runs, and put back when it is stopped", { timeout: 60_000 }, async () => {
  const folder = aFolder();
  expect((await folder.run("backups")).out).toContain("There is no backup yet.");
  expect(await folder.run("backup")).toMatchObject({ code: 1 });
  await folder.start();
  await folder.createSession("before");
  expect(await folder.run("users", "add", "ana", "--scopes", "read")).toMatchObject({ code: 0 });
  const made = await folder.run("backup", "--json");
  expect(made.code).toBe(0);
  const name = String(recordOf(JSON.parse(made.out))["name"]);
  expect((await folder.run("backups")).out).toContain(name);
  await folder.createSession("after");
  expect(await folder.run("users", "disable", "ana")).toMatchObject({ code: 0 });
  const running = await folder.run("restore", name, "--yes");
  expect([running.code, running.err]).toEqual([1, expect.stringContaining("Another Inbox Hub is running")]);

  await folder.stop();
  const warned = await folder.run("restore", name);
  expect([warned.code, warned.err]).toEqual([1, expect.stringContaining("Nothing was done yet.")]);
  const restored = await folder.run("restore", name, "--yes");
  expect([restored.code, restored.out]).toEqual([0, expect.stringContaining(`${name} is in place.`)]);
  // Who gets in again, though it may have been ended since.
  expect(restored.out).toMatch(/key +key_\S+ +HUB_API_KEY +\d{4}-\d\d-\d\d \d\d:\d\d +yes/);
  expect(restored.out).toMatch(/user +usr_\S+ +ana +\d{4}-\d\d-\d\d \d\d:\d\d +yes/);
  expect(restored.out).toContain("npm run hub -- keys revoke <id>");
  expect(await folder.run("restore", "hub-nothing.backup", "--yes")).toMatchObject({ code: 1 });

  expect(await folder.run("backup")).toMatchObject({ code: 0 });
  await folder.start();
  const sessions = listIn(recordOf(JSON.parse((await folder.run("sessions", "--json")).out)), "sessions");
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(["before"]);
  const audit = await folder.run("audit");
  expect(audit.out).toMatch(/operator +backup\.restored +hub-\S+\.backup +done/);
  expect(audit.out).toMatch(/operator +backup\.made +hub-\S+\.backup +done/);
  await folder.run("keys", "create", "crm", "--scopes", "read");
  await folder.run("backup");
  const [newest = ""] = readdirSync(join(folder.dir, "backups")).sort().reverse();
  await folder.stop();
  expect(await folder.run("audit", "verify")).toMatchObject({ code: 0 });

  const shut = await folder.run("restore", newest, "--yes", "--shut-out");
  expect([shut.code, shut.out]).toEqual([0, expect.stringContaining("Users: ana")]);
  await folder.start();
  const keys = await folder.run("keys");
  expect(keys.out).toContain("HUB_API_KEY");
  expect(keys.out).not.toContain("crm");
  expect((await folder.run("users")).out).toMatch(/ana +read +\* +\d{4}-/);
  expect((await folder.run("audit")).out).toMatch(/operator +user\.disabled[^]*operator +key\.revoked/);
});

test("a copy is tried out in an empty folder that has the master key", { timeout: 60_000 }, async () => {
  const folder = aFolder();
  await folder.start();
  await folder.createSession("shop");
  await folder.run("backup");
  await folder.stop();
  const [name = ""] = readdirSync(join(folder.dir, "backups"));
  const drill = aFolder();
  const copy = join(folder.dir, "backups", name);
  expect(await drill.run("restore", copy, "--yes")).toMatchObject({ code: 1 });
  copyFileSync(join(folder.dir, "master.key"), join(drill.dir, "master.key"));
  const restored = await drill.run("restore", copy, "--yes");
  expect([restored.code, restored.err]).toEqual([0, ""]);
  expect(await drill.run("audit", "verify")).toMatchObject({ code: 0 });
});

test("a new master key seals everything anew, and the hub starts with it", { timeout: 60_000 }, async () => {
  const folder = aFolder();
  await folder.start();
  await folder.stop();
  const rotated = await folder.run("rotate-key");
  expect([rotated.code, rotated.out]).toEqual([
    0,
    expect.stringMatching(/^\d+ keys are sealed with the new master key/),
  ]);
  expect(readdirSync(folder.dir).filter((name) => name.startsWith("master.key"))).toHaveLength(2);
  await folder.start();
  expect((await folder.run("audit")).out).toMatch(/operator +vault\.master_key_rotated/);
});

test("a login of another program is taken over, and given away again", { timeout: 60_000 }, async () => {
  const folder = aFolder();
  await folder.start();
  await folder.stop();
  const others = join(folder.dir, "..", `${basename(folder.dir)}-others`);
  onTestFinished(() => rmSync(others, { recursive: true, force: true }));
  mkdirSync(join(others, "shop"), { recursive: true });
  mkdirSync(join(others, "broken"));
  writeLogin(join(others, "shop"));
  writeFileSync(join(others, "shop", "session-34600999.0.json"), '{"_sessions":{},"version":"v1"}');
  writeFileSync(join(others, "broken", "creds.json"), "{");

  const imported = await folder.run("import", others);
  expect([imported.code, imported.out]).toEqual([1, expect.stringContaining("1 of 2 taken over.")]);
  expect(await folder.run("import", join(others, "nothing"))).toMatchObject({ code: 1, out: "" });
  const away = join(others, "away");
  expect(await folder.run("export", "shop", away)).toMatchObject({ code: 1 });
  expect(existsSync(away)).toBe(false);
  expect(await folder.run("export", "shop", away, "--yes")).toMatchObject({ code: 0 });
  expect(readdirSync(away)).toContain("creds.json");

  await folder.start();
  const sessions = listIn(recordOf(JSON.parse((await folder.run("sessions", "--json")).out)), "sessions");
  expect(sessions).toMatchObject([{ sessionId: "shop", state: "stopped", phoneNumber: "34600111222" }]);
  const { out } = await folder.run("audit");
  expect(out).toMatch(/operator +login\.exported +shop +done/);
  expect(out).toMatch(/operator +login\.imported +shop +done/);

  // Once more, with a key that is damaged: the rest goes, and the command says what that means.
  await folder.stop();
  const db = new Database(join(folder.dir, "hub.db"));
  db.exec("UPDATE auth_key SET v = x'01' WHERE type = 'session'");
  db.close();
  const partly = await folder.run("export", "shop", join(others, "partly"), "--yes");
  expect(partly.code).toBe(1);
  expect(partly.out).toMatch(/1 key could not be opened and was left out: session 1\./);
  expect(partly.out).toContain("made anew by a retry");
  expect(partly.out).not.toContain("34600999");
  expect(readdirSync(join(others, "partly"))).toEqual(["creds.json"]);
  const json = await folder.run("export", "shop", join(others, "again"), "--yes", "--json");
  expect(JSON.parse(json.out)).toMatchObject({ keys: 0, unreadable: { session: 1 } });
});

test(
  "a backup is tried out beside a running hub and without one; nothing of the hub is touched, and a note is left",
  { timeout: 60_000 },
  async () => {
    const folder = aFolder();
    expect(await folder.run("drill")).toMatchObject({ code: 1 });
    await folder.start();
    await folder.createSession("shop");
    const none = await folder.run("drill");
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("There is no backup yet")]);
    await folder.run("backup");
    const [name = ""] = readdirSync(join(folder.dir, "backups"));
    const beside = await folder.run("drill", "--json");
    expect(beside.code).toBe(0);
    const told = recordOf(JSON.parse(beside.out));
    expect(told).toMatchObject({ ok: true, backup: name });
    expect(listIn(told, "steps").map(({ step, ok }) => `${String(step)} ${String(ok)}`)).toEqual([
      "opened true",
      "database true",
      "content true",
      "logins true",
      "audit log true",
    ]);

    await folder.stop();
    rmSync(join(folder.dir, "drilled.json"));
    const before = contentsOf(folder.dir);
    const drilled = await folder.run("drill", name);
    expect([drilled.code, drilled.out]).toEqual([
      0,
      expect.stringMatching(/1 sessions, 0 messages[^]*It could be restored/),
    ]);
    const note = JSON.parse(readFileSync(join(folder.dir, "drilled.json"), "utf8")) as unknown;
    expect(note).toMatchObject({ backup: name, ok: true });
    rmSync(join(folder.dir, "drilled.json"));
    expect(contentsOf(folder.dir)).toEqual(before);
    expect(await folder.run("drill", "hub-none.backup")).toMatchObject({ code: 1 });

    const file = join(folder.dir, "backups", name);
    writeFileSync(file, readFileSync(file).subarray(0, -100));
    const cut = await folder.run("drill");
    expect([cut.code, cut.out]).toEqual([1, expect.stringContaining("is damaged or cut short")]);
  },
);

test("a backup that opens and holds a login that does not is no good one", { timeout: 60_000 }, async () => {
  const folder = aFolder();
  await folder.start();
  await folder.createSession("shop");
  await folder.stop();
  const db = new Database(join(folder.dir, "hub.db"));
  db.prepare("INSERT INTO auth_creds(session, v) SELECT id, x'010203' FROM session").run();
  db.close();
  await folder.run("backup");
  const drilled = await folder.run("drill");
  expect([drilled.code, drilled.out]).toEqual([1, expect.stringContaining("not those of shop")]);
});

test(
  "the login of one session is put back alone; one that may have been used since, only for who says so",
  { timeout: 60_000 },
  async () => {
    const folder = aFolder();
    await folder.start();
    await folder.stop();
    expect(await folder.run("restore-login", "shop")).toMatchObject({ code: 1 });
    const others = join(folder.dir, "shop");
    mkdirSync(others);
    writeLogin(others);
    await folder.run("import", others);
    await folder.run("backup");
    const [name = ""] = readdirSync(join(folder.dir, "backups"));
    expect((await folder.run("restore-login", "shop")).out).toMatch(new RegExp(`ago +${name} +backup`));

    const warned = await folder.run("restore-login", "shop", name);
    expect([warned.code, warned.err]).toEqual([1, expect.stringContaining("Nothing was done yet.")]);
    const back = await folder.run("restore-login", "shop", name, "--yes");
    expect([back.code, back.out]).toEqual([0, expect.stringContaining("Nothing was used since")]);

    expect(await folder.run("export", "shop", join(folder.dir, "away"), "--yes")).toMatchObject({ code: 0 });
    const refused = await folder.run("restore-login", "shop", name, "--yes");
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/made less than a minute ago.*--older/s),
    ]);
    const older = await folder.run("restore-login", "shop", name, "--older", "--yes");
    expect([older.code, older.out]).toEqual([0, expect.stringContaining("the session is rolled_back")]);
    await folder.start();
    const sessions = listIn(recordOf(JSON.parse((await folder.run("sessions", "--json")).out)), "sessions");
    expect(sessions).toMatchObject([{ sessionId: "shop", state: "rolled_back", phoneNumber: "34600111222" }]);
    expect((await folder.run("audit")).out).toMatch(/operator +login\.put_back +shop +done/);
  },
);

/** The login of another program, as it keeps it. */
function writeLogin(folder: string): void {
  const creds = initAuthCreds();
  creds.account = proto.ADVSignedDeviceIdentity.fromObject({ details: Buffer.of(1) });
  creds.me = { id: "34600111222:3@s.whatsapp.net", lid: "777:3@lid", name: "Shop" };
  writeFileSync(join(folder, "creds.json"), JSON.stringify(creds, BufferJSON.replacer));
}

/** All files, byte by byte. */
const contentsOf = (dir: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => [
        join(parentPath, name),
        readFileSync(join(parentPath, name)).toString("base64"),
      ]),
  );
