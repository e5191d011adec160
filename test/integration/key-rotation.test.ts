/** A new master key takes the old one's place, with the hub running or not; the wrong one changes nothing. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../hub/config.ts";
import { systemClock } from "../../hub/core/clock.ts";
import { backupNow, restoreBackup, rotateMasterKey } from "../../hub/safekeeping/data-folder.ts";
import { startHub } from "../../hub/hub.ts";
import { createLog } from "../../hub/log.ts";
import { startKeyRotation } from "../../hub/sessions/key-rotation.ts";
import { layNextKey, readMasterKeys } from "../../hub/sessions/master-key.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { logBook } from "../support/log-book.ts";

const log = logBook();
const place = "somewhere";

async function aHub() {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-rotation-"));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const file = join(dataDir, "master.key");
  const folder = {
    dataDir,
    masterKey: null,
    masterKeyPrevious: null,
    masterKeyFile: null,
    jidForm: "c.us" as const,
  };
  const open = async () => {
    const store = await openStore({ dataDir, publicUrl: "http://hub.example", clock: systemClock, log });
    const keys = await readMasterKeys({ configured: null, file, mayCreate: true });
    const vault = await createVault({ ...keys, keys: store.vault });
    return { store, vault };
  };
  return { dataDir, file, folder, open };
}

const start = (env: Record<string, string>) =>
  startHub(readConfig({ HUB_PORT: "0", HUB_API_KEY: "k".repeat(40), ...env }), createLog("silent"));

describe("rotation", () => {
  test("with the hub running seals everything anew, and what was sealed before opens before, meanwhile and after", async () => {
    const { file, open, folder } = await aHub();
    const { store, vault } = await open();
    const sealed = (await vault.cipher("session:s1")).seal(place, Buffer.from("secret"));
    const rotation = await startKeyRotation({ file, vault, clock: systemClock, log });
    const before = await readFile(file, "utf8");
    expect(await rotateMasterKey(folder, log)).toBeNull(); // the hub does it
    expect(await rotation.turn()).toEqual({ rewrapped: 2, unreadable: [] });
    expect(await readFile(file, "utf8")).not.toBe(before);
    expect(await rotation.turn()).toBeNull();
    await vault.cipher("session:s2");
    await rotation.stop();
    await store.close();
    const after = await open();
    expect((await after.vault.cipher("session:s1")).open(place, sealed).toString()).toBe("secret");
    await after.vault.cipher("session:s2");
    await after.store.close();
  });

  test("without a hub is done at once, and backups from before can still be put back", async () => {
    const { dataDir, open, folder } = await aHub();
    const first = await open();
    const sealed = (await first.vault.cipher("session:s1")).seal(place, Buffer.from("secret"));
    const backup = await backupNow(folder, log);
    await first.store.close();
    expect(await rotateMasterKey(folder, log)).toEqual({ rewrapped: 2, unreadable: [] });
    expect((await readdir(dataDir)).filter((name) => name.startsWith("master.key"))).toHaveLength(2);
    await restoreBackup(folder, { backup: backup.name }, log);
    const { store, vault } = await open();
    expect((await vault.cipher("session:s1")).open(place, sealed).toString()).toBe("secret");
    await store.close();
  });

  test("that was broken off is finished at the next start of the hub", async () => {
    const { dataDir, file, open } = await aHub();
    const { store, vault } = await open();
    await vault.cipher("session:s1");
    await store.close();
    const before = await readFile(file, "utf8");
    await layNextKey(file);
    const hub = await start({ HUB_DATA_DIR: dataDir });
    await hub.stop();
    expect(await readFile(file, "utf8")).not.toBe(before);
    expect(await readdir(dataDir)).not.toContain("master.key.next");
    const again = await start({ HUB_DATA_DIR: dataDir });
    await again.stop();
  });

  test("of a configured key happens at a start that knows both", async () => {
    const { dataDir } = await aHub();
    const [one, two] = [randomBytes(32).toString("hex"), randomBytes(32).toString("hex")];
    await (await start({ HUB_DATA_DIR: dataDir, HUB_MASTER_KEY: one })).stop();
    await (await start({ HUB_DATA_DIR: dataDir, HUB_MASTER_KEY: two, HUB_MASTER_KEY_PREVIOUS: one })).stop();
    await (await start({ HUB_DATA_DIR: dataDir, HUB_MASTER_KEY: two })).stop();
    await expect(start({ HUB_DATA_DIR: dataDir, HUB_MASTER_KEY: one })).rejects.toThrow(/another master key/);
  });
});

test("a hub with the wrong master key, or without its key file, does not start and writes nothing", async () => {
  const { dataDir, file } = await aHub();
  await (await start({ HUB_DATA_DIR: dataDir })).stop();
  const before = await fingerprint(dataDir);
  await expect(
    start({ HUB_DATA_DIR: dataDir, HUB_MASTER_KEY: randomBytes(32).toString("hex") }),
  ).rejects.toThrow(/another master key/);
  expect(await fingerprint(dataDir)).toEqual(before);
  const elsewhere = join(dataDir, "..", `missing-${randomBytes(4).toString("hex")}.key`);
  await expect(start({ HUB_DATA_DIR: dataDir, HUB_MASTER_KEY_FILE: elsewhere })).rejects.toThrow(
    /is missing/,
  );
  expect(await fingerprint(dataDir)).toEqual(before);
  await (await start({ HUB_DATA_DIR: dataDir, HUB_MASTER_KEY_FILE: file })).stop();
});

/** Of what is kept; SQLite lays empty files beside a database that is read. */
async function fingerprint(dir: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true }))
    if (entry.isFile() && !/-(shm|wal)$/.test(entry.name))
      all[join(entry.parentPath, entry.name)] = createHash("sha256")
        .update(await readFile(join(entry.parentPath, entry.name)))
        .digest("hex");
  return all;
}
