/**
 * O2, permission denied: the hub's files become somebody else's, while it runs and before it starts. What a hub has open it goes
 * on using, whatever becomes of the rights: so it says that it is not ready, keeps what it is told, and refuses what needs a new file.
 */
import { chmod, chown, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { StartError } from "../support/product-process.ts";
import { until } from "../support/until.ts";
import { askReady } from "./asked.ts";
import { brokenNow } from "./invariants.ts";
import { busyMs } from "./process-limits.ts";
import { aScene, PATIENCE_MS, recovers } from "./scene.ts";
import { settle } from "./settle.ts";
import { isOnline, type Stand } from "./stand.ts";
import { say } from "./traffic.ts";

const SEED = process.env["FAULT_SEED"] ?? Date.now().toString(36);
console.log(`O2: FAULT_SEED=${SEED}`);
const LIMIT_MS = 240_000;
/** As on every Linux: nobody. */
const HUBS = { uid: 65_534, gid: 65_534 };
const SOMEBODY = { uid: 0, gid: 0 };

/** The folder and all in it, as `chown -R` and `chmod` by a person do. */
async function give(dataDir: string, { uid, gid }: typeof HUBS): Promise<void> {
  const names = await readdir(dataDir, { recursive: true });
  for (const path of [dataDir, ...names.map((name) => join(dataDir, name))]) await chown(path, uid, gid);
  await chmod(dataDir, 0o700);
}

const upload = async ({ hub }: Stand): Promise<number> => {
  const { url, apiKey } = hub();
  const response = await fetch(`${url}/api/media`, {
    method: "POST",
    headers: { "X-API-Key": apiKey, "Content-Type": "application/octet-stream" },
    body: "a file",
  });
  await response.arrayBuffer();
  return response.status;
};

const refusal = (stand: Stand): Promise<string> =>
  stand.start({ user: HUBS }).then(
    () => "it started",
    (error: unknown) => {
      if (error instanceof StartError && error.ending === 1) return error.message;
      throw error;
    },
  );

describe.skipIf(process.getuid?.() !== 0)("a hub of an ordinary user", () => {
  test(
    "O2: whose files are taken from it says so, loses nothing, and goes on when they are given back",
    { timeout: LIMIT_MS },
    async () => {
      const scene = await aScene(SEED, { user: HUBS });
      const { stand, account, random, pid } = scene;
      await give(stand.dataDir, SOMEBODY);
      const ready = await askReady(stand);
      expect([ready.status, ready.failing]).toEqual([503, ["disk"]]);
      expect(await upload(stand)).toBe(503);
      say(stand, account, random, 30);
      expect(await settle(stand)).toEqual([]);
      expect(brokenNow(stand)).toEqual([]);
      const [busy, lines] = [busyMs(pid), stand.hub().output.length];
      await pause(2_000);
      expect(busyMs(pid) - busy).toBeLessThan(700);
      expect(stand.hub().output.length - lines).toBeLessThan(40);

      await give(stand.dataDir, HUBS);
      await recovers(scene);
      expect(await upload(stand)).toBe(201);
    },
  );

  test(
    "O2: does not start on files that it may not use, names them and what helps, and starts when it may",
    { timeout: LIMIT_MS },
    async () => {
      const scene = await aScene(SEED, { user: HUBS });
      const { stand, account, random } = scene;
      const { dataDir } = stand;
      await mkdir(join(dataDir, "media"), { recursive: true });
      await stand.kill();
      say(stand, account, random, 10);
      const before = await readdir(dataDir);
      const single = ["master.key", "hub.db", "hub.db-wal", "watermark.json", "media"];
      for (const name of single) {
        await give(dataDir, HUBS);
        await chown(join(dataDir, name), SOMEBODY.uid, SOMEBODY.gid);
        await chmod(join(dataDir, name), 0o700);
        const said = await refusal(stand);
        expect(said).toContain(`may not use these of its files in ${dataDir}: ${name}.`);
        expect(said).toContain(`chown -R ${HUBS.uid}:${HUBS.gid} ${dataDir}`);
      }
      await give(dataDir, SOMEBODY);
      expect(await refusal(stand)).toContain(`${dataDir} cannot be used (EACCES)`);
      expect(await readdir(dataDir)).toEqual(before);

      await give(dataDir, HUBS);
      await stand.start({ user: HUBS });
      await until("the account to be back", () => isOnline(stand.emulator, account.number), {
        timeoutMs: PATIENCE_MS,
      });
      await recovers(scene);
    },
  );
});
