/** The process of a directory sync, killed at chance moments, with its state and its CRM on the disk. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openAdapter } from "../../bridge/adapters/index.ts";
import { systemClock } from "../../bridge/clock.ts";
import { openLowdbState } from "../../bridge/state/lowdb-state.ts";
import { logBook } from "../support/log-book.ts";
import { startWisproServer, wisproRecords } from "../support/wispro-server.ts";
import { createRandom } from "../whatsapp/holdings/random.ts";

const TOKEN = "raw-token-of-the-directory";
const CLIENTS = 2_500;

test(
  "killed again and again, it comes to the same end: everyone once, and counted",
  { timeout: 240_000 },
  async () => {
    const seed = String(Date.now());
    console.log(`seed ${seed}`);
    const random = createRandom(seed);
    const dir = await mkdtemp(join(tmpdir(), "directory-kills-"));
    const wispro = await startWisproServer({ token: TOKEN, records: wisproRecords(CLIENTS) });
    const script = new URL("../support/syncing-directory.ts", import.meta.url).pathname;

    /** Null: it came to its end by itself. */
    const killedAtPage = async (n: number, afterMs: number): Promise<string | null> => {
      const child = spawn(process.execPath, ["--import", "tsx", script, dir, wispro.url, TOKEN], {
        stdio: ["ignore", "inherit", "inherit"],
      });
      wispro.answers(({ page }) => {
        if (page >= n) setTimeout(() => child.kill("SIGKILL"), afterMs);
        return null;
      });
      // Node's types do not say what `exit` brings: the code and the signal.
      const [, signal] = (await once(child, "exit")) as [number | null, string | null];
      return signal;
    };

    for (let page = 1; page <= 20; page += 4 + random.int(5))
      expect(await killedAtPage(page, random.int(40))).toBe("SIGKILL");
    expect(await killedAtPage(CLIENTS, 0)).toBeNull();

    const log = logBook();
    const state = await openLowdbState({ dir, clock: systemClock, log });
    const { directoryJobs } = state.read();
    expect(directoryJobs).toMatchObject([{ status: "completed", page: 25, errors: 0, failed: [] }]);
    expect(directoryJobs[0]?.created).toBeGreaterThan(0);
    expect((directoryJobs[0]?.created ?? 0) + (directoryJobs[0]?.unchanged ?? 0)).toBe(CLIENTS);
    const adapter = await openAdapter(
      { kind: "sqlite", file: join(dir, "crm.db") },
      { clock: systemClock, log },
    );
    expect(await adapter.documents?.count({ doctype: "WhatsApp Client", filters: [] })).toBe(CLIENTS);
    expect(log.lines()).toEqual([]);

    await adapter.close();
    await state.close();
    await wispro.stop();
    await rm(dir, { recursive: true });
  },
);
