/** A backup that fails is no secret: people are called, the audit log has it, and the figures say so until one succeeds. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createMetrics } from "../../hub/http/metrics.ts";
import { noPressure } from "../../hub/core/pressure.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { startSafekeeping } from "../../hub/safekeeping.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { fixedClock, minutes } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";

test("backups and trials that fail are told to people, to the audit log and in the figures", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-safekeeping-"));
  const clock = fixedClock();
  const log = logBook();
  const store = await openStore({ dataDir, publicUrl: "http://hub.example", clock, log });
  const vault = await createVault({ masterKey: randomBytes(32), keys: store.vault });
  const failed: string[] = [];
  // While this is set, what should be sealed cannot be.
  let broken = false;
  const safekeeping = await startSafekeeping({
    dataDir,
    store: {
      ...store,
      copyInto: (file) => (broken ? Promise.reject(new Error("the copy failed")) : store.copyInto(file)),
    },
    vault,
    keyFile: null,
    onFailed: (what) => failed.push(what),
    clock,
    isClockTrusted: () => true,
    log,
  });
  onTestFinished(async () => {
    await safekeeping.stop();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const figures = async (): Promise<string[]> => {
    const metrics = createMetrics({
      sessions: () => Promise.resolve([]),
      store,
      pressure: noPressure,
      clock,
    });
    const { text } = await metrics.scrape();
    return text.split("\n").filter((line) => line.startsWith("inbox_hub_safekeeping"));
  };
  const entries = async (): Promise<string[]> =>
    (await store.audit.list({ limit: 50, page: 1 })).items.map(
      ({ action, outcome }) => `${action} ${outcome}`,
    );

  await safekeeping.backUp();
  expect(await figures()).toEqual([
    'inbox_hub_safekeeping_age_seconds{what="backup"} 0',
    'inbox_hub_safekeeping_failed{what="backup"} 0',
    'inbox_hub_safekeeping_failed{what="drill"} 0',
  ]);

  clock.advance(minutes(60));
  broken = true;
  await expect(safekeeping.backUp()).rejects.toThrow("the copy failed");
  expect(failed).toEqual(["backup"]);
  expect(await figures()).toEqual([
    'inbox_hub_safekeeping_age_seconds{what="backup"} 3600',
    'inbox_hub_safekeeping_failed{what="backup"} 1',
    'inbox_hub_safekeeping_failed{what="drill"} 0',
  ]);

  broken = false;
  clock.advance(minutes(60));
  await safekeeping.backUp();
  const [newest = ""] = (await readdir(join(dataDir, "backups"))).sort().reverse();
  await truncate(join(dataDir, "backups", newest), 5000);
  clock.advance(minutes(1));
  await expect(safekeeping.drill()).rejects.toThrow(/damaged|cut short/);
  expect(failed).toEqual(["backup", "drill"]);
  expect(await figures()).toContain('inbox_hub_safekeeping_failed{what="drill"} 1');
  expect(await figures()).toContain('inbox_hub_safekeeping_failed{what="backup"} 0');
  expect(await entries()).toEqual([
    "backup.drilled failed",
    "backup.made done",
    "backup.made failed",
    "backup.made done",
  ]);
});

test("a data key serves a year: then a new one seals what is new, it is in the audit log, and a clock in doubt turns nothing", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-safekeeping-"));
  const clock = fixedClock();
  const log = logBook();
  const store = await openStore({ dataDir, publicUrl: "http://hub.example", clock, log });
  const masterKey = randomBytes(32);
  const vault = await createVault({ masterKey, keys: store.vault });
  let isTrusted = true;
  const safekeeping = await startSafekeeping({
    ...{ dataDir, store, vault, keyFile: null, clock, log },
    onFailed: () => undefined,
    isClockTrusted: () => isTrusted,
  });
  onTestFinished(async () => {
    await safekeeping.stop();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const cipher = await vault.cipher("session:s1");
  const keyIdOf = (sealed: Uint8Array): string => Buffer.from(sealed.subarray(1, 5)).toString("hex");
  const sealed = cipher.seal("p", Buffer.from("ratchet"));
  const renewals = async (): Promise<unknown[]> =>
    (await store.audit.list({ limit: 50, page: 1 })).items
      .filter(({ action }) => action === "vault.data_keys_renewed")
      .map(({ details }) => details);

  await safekeeping.renewDataKeys();
  clock.advance(minutes(364 * 24 * 60));
  await safekeeping.renewDataKeys();
  clock.advance(minutes(24 * 60));
  isTrusted = false;
  await safekeeping.renewDataKeys();
  expect(await renewals()).toEqual([]);
  expect(keyIdOf(cipher.seal("p", Buffer.of(1)))).toBe(keyIdOf(sealed));

  isTrusted = true;
  await safekeeping.renewDataKeys();
  await safekeeping.renewDataKeys();
  expect(await renewals()).toEqual([{ renewed: 2 }]);
  const fresh = cipher.seal("p", Buffer.from("new"));
  expect(keyIdOf(fresh)).not.toBe(keyIdOf(sealed));
  const restarted = await (await createVault({ masterKey, keys: store.vault })).cipher("session:s1");
  expect([sealed, fresh].map((each) => Buffer.from(restarted.open("p", each)).toString())).toEqual([
    "ratchet",
    "new",
  ]);
});
