/**
 * What keeps a hub's data safe while it works: how far it has got, copies every hour, the trial of one each month, and the
 * turns of the keys. Each run is a row of the audit log; copies that somebody made by hand beside the running hub as well.
 */
import { doneBy } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { IsClockTrusted } from "../core/clock-trust.ts";
import type { Log } from "../core/log.ts";
import { SAFEKEEPING_MARKS, type SafekeepingNews } from "../core/safekeeping-marks.ts";
import type { Store } from "../core/store.ts";
import { atTimes } from "../cron.ts";
import { enterDrill } from "./drill-by-hand.ts";
import { isDrillDue, overdue, type Turns } from "./times.ts";
import { startKeyRotation } from "../sessions/key-rotation.ts";
import type { Vault } from "../sessions/vault.ts";
import { createBackups } from "../store/backups/backups.ts";
import { enterManualBackups } from "../store/backups/manual.ts";
import { sweepScratch } from "../store/backups/scratch.ts";
import { FolderInUse } from "../store/sqlite/lock.ts";
import { keepWatermark } from "../store/watermark.ts";

/** Not at the full hour, when everything else on a machine happens. */
const BACKUP_TIMES = "7 * * * *";
/** Each day: a hub that was off on the day of a trial makes up for it. */
const DRILL_TIMES = "37 3 * * *";
/** Most of the time there is nothing to do. */
const DATA_KEY_TIMES = "22 * * * *";
const LOOK_TIMES = "*/5 * * * *";
/** So long a data key seals what is new. */
const DATA_KEY_MS = 365 * 86_400_000;
const PATIENCE_MS = 2_000;
const AUDITED = { backup: "backup.made", drill: "backup.drilled" } as const;

type Turn = keyof typeof SAFEKEEPING_MARKS;

export interface Safekeeping {
  /** Something happened that a copy from before must be told from. */
  note(): void;
  /** The hourly backup, now. */
  backUp(): Promise<void>;
  /** Tries the newest backup out, now. */
  drill(): Promise<void>;
  /** The daily turn: a drill when the last good one is a month old. */
  drillIfDue(): Promise<void>;
  /** Enters what was done by hand into the audit log, clears away what it left, and says when a turn is overdue. */
  look(): Promise<void>;
  /** New data keys in place of those that have served a year, now. */
  renewDataKeys(): Promise<void>;
  /** Resolves when nothing of it touches the store any more. */
  stop(): Promise<void>;
}

/** Resolves when the store may be used: a key rotation that was broken off is finished, and the first watermark is on disk. */
export async function startSafekeeping({
  dataDir,
  store,
  vault,
  keyFile,
  onNews,
  clock,
  isClockTrusted,
  log,
}: {
  dataDir: string;
  store: Store;
  vault: Vault;
  /** Null when the master key comes from the configuration. */
  keyFile: string | null;
  /** How a backup or the trial of one went, for those who call people. */
  onNews: (what: Turn, news: SafekeepingNews) => void;
  clock: Clock;
  isClockTrusted: IsClockTrusted;
  log: Log;
}): Promise<Safekeeping> {
  const startedAt = clock.now();
  const enter = (action: string, about: { target?: string; details?: Record<string, unknown> }) =>
    store.audit.append(doneBy("hub", action, clock.now(), about));

  const keyRotation = await startKeyRotation({
    file: keyFile,
    vault,
    onRotated: ({ rewrapped }) => enter("vault.master_key_rotated", { details: { rewrapped } }),
    clock,
    log,
  });
  const watermark = await keepWatermark({ dataDir, store, log });
  const backups = createBackups({
    dataDir,
    store,
    keyForFile: vault.forFile,
    openFileKey: vault.openFile,
    clock,
    log,
  });

  /** How it ended is told to people, to the audit log, and to whoever reads the hub's figures; not where `work` had nothing to do. */
  async function told(what: Turn, work: () => Promise<"done" | "nothing">): Promise<void> {
    try {
      if ((await work()) === "nothing") return;
      await store.marks.set(SAFEKEEPING_MARKS[what].done, clock.now());
      onNews(what, "done");
    } catch (cause) {
      // Somebody makes one by hand at this very moment.
      if (cause instanceof FolderInUse) throw cause;
      onNews(what, "failed");
      await Promise.all([
        store.marks.set(SAFEKEEPING_MARKS[what].failed, clock.now()),
        store.audit.append({ ...doneBy("hub", AUDITED[what], clock.now()), outcome: "failed" }),
      ]).catch((err: unknown) => log.warn({ err }, "backup.failure_not_noted"));
      throw cause;
    }
  }

  const backUp = (): Promise<void> =>
    told("backup", async () => {
      const { name, bytes } = await backups.hourly();
      await enter("backup.made", { target: name, details: { bytes } });
      return "done";
    });

  const drill = (): Promise<void> =>
    told("drill", async () => {
      const newest = await backups.drill();
      if (newest === null) return "nothing";
      await enter("backup.drilled", { target: newest.name });
      return "done";
    });

  async function turns(what: Turn): Promise<Turns> {
    const { done, failed } = SAFEKEEPING_MARKS[what];
    return { doneAt: await store.marks.get(done), failedAt: await store.marks.get(failed), startedAt };
  }

  async function drillIfDue(): Promise<void> {
    if (isClockTrusted() && isDrillDue(await turns("drill"), clock.now())) await drill();
  }

  async function look(): Promise<void> {
    const { audit, marks } = store;
    await enterManualBackups({ dataDir, audit, marks, now: clock.now() });
    const drilled = await enterDrill({ dataDir, audit, marks });
    if (drilled !== null) onNews("drill", drilled.ok ? "done" : "failed");
    await sweepScratch(dataDir).catch((err: unknown) => log.warn({ err }, "backup.scratch_not_removed"));
    if (!isClockTrusted()) return;
    for (const what of ["backup", "drill"] as const) {
      const found = overdue(what, await turns(what), clock.now());
      if (found !== null) onNews(what, found);
    }
  }

  let renewing: Promise<void> = Promise.resolve();
  const renewDataKeys = async (): Promise<void> => {
    if (!isClockTrusted()) return;
    const renewed = await vault.renewOld({ now: clock.now(), maxAgeMs: DATA_KEY_MS });
    if (renewed === 0) return;
    log.info({ renewed }, "vault.data_keys_renewed");
    await enter("vault.data_keys_renewed", { details: { renewed } });
  };

  let looking: Promise<void> = Promise.resolve();
  const times = [
    atTimes(BACKUP_TIMES, backUp, { log }),
    atTimes(DRILL_TIMES, drillIfDue, { log }),
    atTimes(DATA_KEY_TIMES, () => (renewing = renewDataKeys()), { log }),
    atTimes(LOOK_TIMES, () => (looking = look()), { log }),
  ];

  return {
    note: () => watermark.note(),
    backUp,
    drill,
    drillIfDue,
    look,
    renewDataKeys,
    stop: async () => {
      for (const each of times) each.stop();
      // A large copy would outlast the patience of whoever stops the process; what is half done is cleared away by the next.
      const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
      await Promise.all([
        Promise.race([backups.idle(), patience]),
        keyRotation.stop(),
        Promise.allSettled([renewing, looking]),
      ]);
      await watermark.stop();
    },
  };
}
