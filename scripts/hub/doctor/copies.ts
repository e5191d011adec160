/** What a hub could be brought back from: its master key, its backups, and whether they were tried out. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../../hub/config.ts";
import { SAFEKEEPING_MARKS } from "../../../hub/core/safekeeping-marks.ts";
import { readDrillNote } from "../../../hub/safekeeping/drill-by-hand.ts";
import { readMasterKeys } from "../../../hub/sessions/master-key.ts";
import { assertMasterKey } from "../../../hub/sessions/vault.ts";
import { listBackups } from "../../../hub/store/backups/backups.ts";
import { peekDataKey } from "../../../hub/store/peek.ts";
import { openReader } from "../../../hub/store/sqlite/reader.ts";
import { duration } from "../show.ts";
import { fine, problem, skipped, type Check } from "./check.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The hub makes one every hour; one that failed, or a restart at the wrong minute, is no trouble yet. */
const OLDEST_BACKUP_MS = 3 * HOUR_MS;
/** The hub tries one out each month. */
const OLDEST_DRILL_MS = 35 * DAY_MS;

type KeySettings = Pick<Config, "masterKey" | "masterKeyPrevious" | "masterKeyFile">;

export async function checkKey(settings: KeySettings | null, dataDir: string): Promise<Check> {
  const what = "master key";
  if (settings === null) return skipped(what, "the settings come first");
  const { masterKey, masterKeyPrevious, masterKeyFile } = settings;
  const file = masterKeyFile ?? join(dataDir, "master.key");
  const sealed = peekOrNull(dataDir);
  const isFile = masterKey === null;
  if (isFile && !existsSync(file))
    return sealed === null
      ? skipped(what, "there is none yet; the first start makes one")
      : problem(
          what,
          `${file} is not there`,
          "Put it back (HUB_MASTER_KEY_FILE says where it lies): without it neither logins nor backups can be opened.",
        );
  const mode = isFile ? statSync(file).mode & 0o777 : 0o600;
  if ((mode & 0o077) !== 0)
    return problem(
      what,
      `others on this machine can read ${file} (mode ${mode.toString(8).padStart(4, "0")})`,
      `chmod 600 ${file}`,
    );
  try {
    const keys = await readMasterKeys({
      configured: masterKey,
      configuredPrevious: masterKeyPrevious,
      file,
      mayCreate: false,
    });
    if (sealed !== null) assertMasterKey(keys, sealed);
  } catch (error) {
    return problem(
      what,
      error instanceof Error ? error.message : String(error),
      "Use the key that the hub had before.",
    );
  }
  return fine(
    what,
    `${isFile ? `${file}, for its own user alone` : "from the settings"}; keep a copy elsewhere`,
  );
}

/** Null also where the database cannot be read: its own check tells that. */
function peekOrNull(dataDir: string): Uint8Array | null {
  try {
    return peekDataKey(dataDir, "hub");
  } catch {
    return null;
  }
}

interface Looked {
  now: Date;
  /** A hub runs on the folder. */
  isRunning: boolean;
}

export async function checkBackups(dataDir: string, { now, isRunning }: Looked): Promise<Check> {
  const what = "backups";
  const ageOfData = ageOf(join(dataDir, "hub.db"), now);
  if (ageOfData === null) return skipped(what, "there is nothing to copy yet");
  const all = await listBackups(dataDir);
  const [newest] = all;
  const byHand = "make one now: npm run hub -- backup";
  if (newest === undefined)
    return ageOfData < OLDEST_BACKUP_MS
      ? skipped(what, "there is none yet; the hub makes one every hour")
      : problem(what, "there is none", `The hub makes one every hour while it runs; ${byHand}`);
  // Made while the clock was ahead: as good as new.
  const age = Math.max(0, now.getTime() - Date.parse(newest.at));
  const detail = `${all.length}, the newest ${duration(age)} old`;
  return isRunning && age > OLDEST_BACKUP_MS
    ? problem(
        what,
        detail,
        `The running hub makes one seven minutes past each hour: look at the disk above and at its log, and ${byHand}`,
      )
    : fine(what, detail);
}

/** By the hub's own book, and the note of a drill by hand that is not in it yet. */
export async function checkDrill(dataDir: string, { now }: Pick<Looked, "now">): Promise<Check> {
  const what = "restore drill";
  const ageOfData = ageOf(join(dataDir, "hub.db"), now);
  if (ageOfData === null) return skipped(what, "there is nothing to restore yet");
  const marks = await marksOf(dataDir);
  if (marks === null) return skipped(what, "the database cannot be read");
  const { done, failed } = marks;
  const byHand = "npm run hub -- drill tries the newest backup out now.";
  if (failed !== null && (done === null || failed > done))
    return problem(
      what,
      `it failed ${duration(now.getTime() - failed.getTime())} ago`,
      "npm run hub -- drill says why; then make a new backup: npm run hub -- backup",
    );
  const age = done === null ? null : Math.max(0, now.getTime() - done.getTime());
  if (age === null && ageOfData < OLDEST_DRILL_MS)
    return skipped(what, "none yet; the hub tries its newest backup out each month, at 3:37 in the night");
  const detail = age === null ? "there was none" : `${duration(age)} ago`;
  return age !== null && age < OLDEST_DRILL_MS
    ? fine(what, `${detail}, the backup could be restored`)
    : problem(
        what,
        detail,
        `The hub does it each month at 3:37 in the night, and makes up for one it missed when it runs then. ${byHand}`,
      );
}

async function marksOf(dataDir: string): Promise<{ done: Date | null; failed: Date | null } | null> {
  const names = SAFEKEEPING_MARKS.drill;
  try {
    const reader = openReader(join(dataDir, "hub.db"));
    try {
      const note = await readDrillNote(dataDir);
      const done = newer(await reader.mark(names.done), note?.ok === true ? note.at : null);
      const failed = newer(await reader.mark(names.failed), note?.ok === false ? note.at : null);
      return { done, failed };
    } finally {
      reader.close();
    }
  } catch {
    return null; // damaged, or of another form: its own check tells that
  }
}

const newer = (one: Date | null, other: Date | null): Date | null =>
  one === null || (other !== null && other > one) ? other : one;

/** How long a file has been there; null when it is not. */
function ageOf(file: string, now: Date): number | null {
  if (!existsSync(file)) return null;
  const { birthtimeMs, mtimeMs } = statSync(file);
  // Some file systems do not know when a file was made.
  return Math.max(0, now.getTime() - (birthtimeMs > 0 ? birthtimeMs : mtimeMs));
}
