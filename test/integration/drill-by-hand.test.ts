/** A backup tried out by hand: the running hub hears of it, and a drill that was killed leaves no plain copy lying. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createVault } from "../../hub/sessions/vault.ts";
import { noteDrill } from "../../hub/safekeeping/drill-by-hand.ts";
import { startSafekeeping } from "../../hub/safekeeping/safekeeping.ts";
import { inScratch } from "../../hub/store/backups/scratch.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { fixedClock, minutes } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";
import { until } from "../support/until.ts";

async function aRunningHub() {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-drill-"));
  const clock = fixedClock();
  const log = logBook();
  const store = await openStore({ dataDir, publicUrl: "http://hub.example", clock, log });
  const vault = await createVault({ masterKey: randomBytes(32), keys: store.vault });
  const news: string[] = [];
  const safekeeping = await startSafekeeping({
    ...{ dataDir, store, vault, clock, log, keyFile: null },
    onNews: (what, how) => news.push(`${what} ${how}`),
    isClockTrusted: () => true,
  });
  onTestFinished(async () => {
    await safekeeping.stop();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  return { dataDir, clock, store, safekeeping, news };
}

test("what was tried out by hand is in the hub's book: once, with its outcome, also when it failed", async () => {
  const { dataDir, clock, store, safekeeping, news } = await aRunningHub();
  const entries = async () =>
    (await store.audit.list({ limit: 50, page: 1 })).items.map(({ actor, action, target, outcome }) =>
      [actor, action, target, outcome].join(" "),
    );
  const at = clock.now();
  await noteDrill(dataDir, { at, backup: "one", ok: true });
  clock.advance(minutes(3));
  await safekeeping.look();
  await safekeeping.look();
  expect(await entries()).toEqual(["operator backup.drilled one done"]);
  expect(await store.marks.get("drill:done")).toEqual(at);

  const failedAt = clock.now();
  await noteDrill(dataDir, { at: failedAt, backup: "two", ok: false });
  await safekeeping.look();
  expect((await entries())[0]).toBe("operator backup.drilled two failed");
  expect(await store.marks.get("drill:failed")).toEqual(failedAt);
  expect(news.at(-1)).toBe("drill failed");
  writeFileSync(join(dataDir, "drilled.json"), "not ours");
  await safekeeping.look();
  expect(await entries()).toHaveLength(2);
});

/** A process that unpacks something and never gets done with it. */
async function aKilledDrill(dataDir: string): Promise<void> {
  const scratch = pathToFileURL(join(import.meta.dirname, "../../hub/store/backups/scratch.ts")).href;
  const script = `
    const { inScratch } = await import(${JSON.stringify(scratch)});
    const { writeFileSync } = await import("node:fs");
    await inScratch({ dataDir: ${JSON.stringify(dataDir)}, neededBytes: 1 }, async (folder) => {
      writeFileSync(folder + "/hub.db", "plain");
      await new Promise((resolve) => setInterval(() => undefined, 1000));
    });`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
  const over = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(() => void child.kill("SIGKILL"));
  await until("the plain copy", () => copiesIn(dataDir).length > 0);
  child.kill("SIGKILL");
  await over;
}

const copiesIn = (dataDir: string): string[] =>
  readdirSync(dataDir)
    .filter((name) => name.startsWith("scratch-"))
    .map((name) => join(dataDir, name, "hub.db"))
    .filter((file) => existsSync(file));

test("the plain copy of a drill that was killed goes when the hub looks, and before the next drill", async () => {
  const { dataDir, safekeeping } = await aRunningHub();
  await aKilledDrill(dataDir);
  expect(copiesIn(dataDir)).toHaveLength(1);
  await inScratch({ dataDir, neededBytes: 1 }, async (folder) => {
    expect(copiesIn(dataDir)).toEqual([]);
    // One that is worked in stays.
    writeFileSync(join(folder, "hub.db"), "plain");
    await safekeeping.look();
    expect(copiesIn(dataDir)).toHaveLength(1);
  });
  expect(copiesIn(dataDir)).toEqual([]);

  await aKilledDrill(dataDir);
  await safekeeping.look();
  expect(readdirSync(dataDir).filter((name) => name.startsWith("scratch-"))).toEqual([]);
});
