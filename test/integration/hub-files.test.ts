/** The operator's commands on the files of a hub: copies, putting them back, a new master key. Each leaves its row in the audit log. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
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
  const made = await folder.run("backup", "--json");
  expect(made.code).toBe(0);
  const name = String(recordOf(JSON.parse(made.out))["name"]);
  expect((await folder.run("backups")).out).toContain(name);
  await folder.createSession("after");
  const running = await folder.run("restore", name, "--yes");
  expect([running.code, running.err]).toEqual([1, expect.stringContaining("Another Inbox Hub is running")]);

  await folder.stop();
  const warned = await folder.run("restore", name);
  expect([warned.code, warned.err]).toEqual([1, expect.stringContaining("Nothing was done yet.")]);
  const restored = await folder.run("restore", name, "--yes");
  expect([restored.code, restored.out]).toEqual([0, expect.stringContaining(`${name} is in place.`)]);
  expect(await folder.run("restore", "hub-nothing.backup", "--yes")).toMatchObject({ code: 1 });

  expect(await folder.run("backup")).toMatchObject({ code: 0 });
  await folder.start();
  const sessions = listIn(recordOf(JSON.parse((await folder.run("sessions", "--json")).out)), "sessions");
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(["before"]);
  const audit = await folder.run("audit");
  expect(audit.out).toMatch(/operator +backup\.restored +hub-\S+\.backup +done/);
  expect(audit.out).toMatch(/operator +backup\.made +hub-\S+\.backup +done/);
  await folder.stop();
  expect(await folder.run("audit", "verify")).toMatchObject({ code: 0 });
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
  const creds = initAuthCreds();
  creds.account = proto.ADVSignedDeviceIdentity.fromObject({ details: Buffer.of(1) });
  creds.me = { id: "34600111222:3@s.whatsapp.net", lid: "777:3@lid", name: "Shop" };
  writeFileSync(join(others, "shop", "creds.json"), JSON.stringify(creds, BufferJSON.replacer));
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
