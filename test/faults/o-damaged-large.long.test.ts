/**
 * O3 where the database is large: accounts are connected and write while it is still being looked over. When damage turns up, the
 * hub ends as if killed: nothing more is acknowledged, the next start refuses, and a backup brings it back.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { backupNow, restoreBackup } from "../../hub/safekeeping/data-folder.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";
import { openStand, type Stand } from "./stand.ts";
import { introduce, say } from "./traffic.ts";
import { settle } from "./settle.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
/** More than a hub looks over before anything else. */
const LARGE_BYTES = 40 * 1024 * 1024;
const log = logBook();

/** A value of many pages that no hub reads; one of them leads nowhere. */
async function growAndDamage(file: string): Promise<void> {
  const db = new Database(file);
  db.prepare("INSERT INTO meta(key, value) VALUES('padding', ?)").run("x".repeat(LARGE_BYTES));
  const pageBytes = Number(db.pragma("page_size", { simple: true }));
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  const bytes = await readFile(file);
  const padding = "x".repeat(pageBytes - 4);
  const pages = Array.from({ length: bytes.length / pageBytes }, (_, page) => page).filter(
    (page) => bytes.toString("latin1", page * pageBytes + 4, (page + 1) * pageBytes) === padding,
  );
  const handle = await open(file, "r+");
  // Its first four bytes name the page that follows.
  await handle.write(Buffer.alloc(4, 0xee), 0, 4, (pages[Math.floor(pages.length / 2)] ?? 0) * pageBytes);
  await handle.close();
}

/** The process that looks the database over for the hub; null before it is there. */
function lookingAt(file: string): number | null {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words.includes(file) && words.includes("-e");
    } catch {
      return false; // ended since
    }
  });
  return found === undefined ? null : Number(found);
}

/** Starts the hub, and holds its look until `letGo`. */
async function startHeld(stand: Stand): Promise<{ letGo: () => void }> {
  const file = join(stand.dataDir, "hub.db");
  const held = until(
    "the look at the database",
    () => {
      const pid = lookingAt(file);
      if (pid !== null) process.kill(pid, "SIGSTOP");
      return pid;
    },
    { everyMs: 2 },
  );
  const [pid] = await Promise.all([held, stand.start()]);
  return { letGo: () => void process.kill(pid, "SIGCONT") };
}

test("O3: damage that is found in a large database while accounts are connected ends the hub; a backup brings it back", async () => {
  console.log(`O3: FAULT_SEED=${SEED}`);
  const random = createRandom(`${SEED} O3`);
  const stand = await openStand();
  onTestFinished(() => stand.stop());
  await stand.start();
  const account = await stand.link("s1");
  introduce(stand, account);
  expect(await settle(stand)).toEqual([]);
  await stand.hub().kill("SIGTERM");
  const folder = {
    ...{ dataDir: stand.dataDir, masterKey: null, masterKeyPrevious: null, masterKeyFile: null },
    jidForm: "c.us" as const,
  };
  const backup = await backupNow(folder, log);
  await growAndDamage(join(stand.dataDir, "hub.db"));

  const { letGo } = await startHeld(stand);
  await stand.online(account);
  say(stand, account, random, 5);
  expect(await settle(stand)).toEqual([]);
  const hub = stand.hub();
  letGo();
  expect(await hub.exited).toBe(1);
  const told = hub.output.join("\n");
  expect(told).toContain('"store.damaged"');
  expect(told).toMatch(/is damaged: .*The hub ends\. Restore a backup: npm run hub -- backups/);
  expect(existsSync(join(stand.dataDir, "hub.damaged"))).toBe(true);
  await until("its connection gone", () =>
    stand.emulator.account(account.number).devices.every(({ connected }) => !connected),
  );

  // Waits at WhatsApp: nobody took it.
  say(stand, account, random, 5);
  const { unacked } = stand.emulator.ledgerSummary(account.number);
  expect(unacked).toBeGreaterThan(0);
  await expect(stand.start()).rejects.toThrow(/is damaged: .*Nothing was changed/s);
  expect(stand.emulator.ledgerSummary(account.number).unacked).toBe(unacked);

  const { aside } = await restoreBackup(folder, { backup: backup.name }, log);
  expect(existsSync(join(stand.dataDir, aside ?? ""))).toBe(true);
  await stand.start();
  // Nobody knows how far its keys were used: a person says that it may go on.
  expect(await stand.client.get("/api/sessions/s1")).toMatchObject({ state: "rolled_back" });
  await stand.client.post("/api/sessions/s1/connect");
  await stand.online(account);
  expect(await settle(stand)).toEqual([]);
  expect(stand.emulator.ledgerSummary(account.number).unacked).toBe(0);
}, 120_000);
