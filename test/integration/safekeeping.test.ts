/** A backup that fails is no secret: people are called, the audit log has it, and the figures say so until one succeeds. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createMetrics } from "../../hub/http/metrics.ts";
import { noPressure } from "../../hub/core/pressure.ts";
import { createVault } from "../../hub/sessions/vault.ts";
import { startSafekeeping } from "../../hub/safekeeping/safekeeping.ts";
import { isDrillDue, overdue } from "../../hub/safekeeping/times.ts";
import { createBackups } from "../../hub/store/backups/backups.ts";
import { openStore } from "../../hub/store/open-store.ts";
import { fixedClock, minutes } from "../support/fixed-clock.ts";
import { logBook } from "../support/log-book.ts";

test("backups and trials that fail are told to people, to the audit log and in the figures", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-safekeeping-"));
  const clock = fixedClock();
  const log = logBook();
  const store = await openStore({ dataDir, publicUrl: "http://hub.example", clock, log });
  const vault = await createVault({ masterKey: randomBytes(32), keys: store.vault });
  const news: string[] = [];
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
    onNews: (what, how) => news.push(`${what} ${how}`),
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

  // Where there is no backup yet, none was tried out.
  await safekeeping.drill();
  expect(news).toEqual([]);
  expect(await store.marks.get("drill:done")).toBeNull();
  await safekeeping.backUp();
  expect(await figures()).toEqual([
    'inbox_hub_safekeeping_age_seconds{what="backup"} 0',
    'inbox_hub_safekeeping_failed{what="backup"} 0',
    'inbox_hub_safekeeping_failed{what="drill"} 0',
  ]);

  clock.advance(minutes(60));
  broken = true;
  await expect(safekeeping.backUp()).rejects.toThrow("the copy failed");
  expect(news).toEqual(["backup done", "backup failed"]);
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
  expect(news).toEqual(["backup done", "backup failed", "backup done", "drill failed"]);
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
    onNews: () => undefined,
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

test("backups made by hand beside a running hub get into its audit log, once each, and count as backups", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "hub-safekeeping-"));
  const clock = fixedClock();
  const log = logBook();
  const store = await openStore({ dataDir, publicUrl: "http://hub.example", clock, log });
  const vault = await createVault({ masterKey: randomBytes(32), keys: store.vault });
  const safekeeping = await startSafekeeping({
    ...{ dataDir, store, vault, keyFile: null, clock, log },
    onNews: () => undefined,
    isClockTrusted: () => true,
  });
  onTestFinished(async () => {
    await safekeeping.stop();
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  const byHand = createBackups({
    ...{ dataDir, store, keyForFile: vault.forFile, openFileKey: vault.openFile, clock, log },
  });
  const entered = async (): Promise<unknown[]> =>
    (await store.audit.list({ limit: 50, page: 1 })).items.map(({ at, actor, action, target }) => ({
      ...{ at, actor, action, target },
    }));
  const first = await byHand.now("manual");
  const madeAt = clock.now();
  clock.advance(minutes(2));
  await safekeeping.look();
  await safekeeping.look();
  const row = { at: madeAt, actor: "operator", action: "backup.made", target: first.name };
  expect(await entered()).toEqual([row]);
  expect(await store.marks.get("backup:made")).toEqual(madeAt);

  clock.advance(minutes(90 * 24 * 60));
  await store.marks.forget(new Date(clock.now().getTime() - minutes(60 * 24 * 60)));
  const second = await byHand.now("manual");
  await safekeeping.look();
  expect(await entered()).toMatchObject([{ target: second.name }, { target: first.name }]);
});

test("a trial is made each month, also by a hub that was off on its day; what is overdue is told", () => {
  const startedAt = new Date("2026-03-01T00:00:00Z");
  const after = (days: number): Date => new Date(startedAt.getTime() + days * 86_400_000);
  const turns = (doneAt: Date | null, failedAt: Date | null = null) => ({ doneAt, failedAt, startedAt });
  expect(isDrillDue(turns(null), startedAt)).toBe(true);
  expect(isDrillDue(turns(startedAt), after(29))).toBe(false);
  expect(isDrillDue(turns(startedAt), after(30))).toBe(true);

  const hour = 1 / 24;
  expect(overdue("backup", turns(after(-5)), after(2 * hour))).toBeNull();
  expect(overdue("backup", turns(after(-5)), after(3 * hour))).toBe("overdue");
  expect(overdue("backup", turns(null), after(3 * hour))).toBe("overdue");
  expect(overdue("backup", turns(after(1)), after(1 + 2 * hour))).toBe("done");
  expect(overdue("backup", turns(after(1), after(1 + hour)), after(2))).toBeNull();
  expect(overdue("drill", turns(after(-40)), after(1))).toBeNull();
  expect(overdue("drill", turns(after(-40)), after(2))).toBe("overdue");
  expect(overdue("drill", turns(after(-30)), after(2))).toBe("done");
});
