/** Copies of the database, sealed, in a folder that nothing else reads: made, listed, and making room for newer ones. */
import { closeSync, openSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { syncFolder } from "../../core/durable-file.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../core/store.ts";
import { checkCopy } from "../sqlite/check-copy.ts";
import { holdLock } from "../sqlite/lock.ts";
import {
  openContainer,
  readHead,
  writeContainer,
  type BackupHead,
  type BackupKind,
  type KeyForFile,
  type OpenFileKey,
} from "./container.ts";
import { unpackWhole } from "./unpack-whole.ts";

export interface Backups {
  /** One at a time; those who ask meanwhile get the one that is under way. */
  now(kind: BackupKind): Promise<BackupHead>;
  /** The hourly turn: the first one of a day is that day's. */
  hourly(): Promise<BackupHead>;
  /** Unpacks the newest one and looks it over, as a restore would; null when there is none. @throws Error when it is no use */
  drill(): Promise<BackupHead | null>;
  /** Newest first; files that cannot be read are left out. */
  list(): Promise<BackupHead[]>;
  /** Resolves when none is under way. */
  idle(): Promise<void>;
}

export const BACKUP_FOLDER = "backups";
const SUFFIX = ".backup";
const HALF = ".half";
const SPARE_BYTES = 64 * 1024 * 1024;
const KEPT: Record<BackupKind, number> = { hourly: 24, daily: 14, manual: Infinity };

export interface BackupsParts {
  dataDir: string;
  store: Pick<Store, "watermark" | "copyInto">;
  keyForFile: KeyForFile;
  openFileKey: OpenFileKey;
  clock: Clock;
  log: Log;
}

export function createBackups({
  dataDir,
  store,
  keyForFile,
  openFileKey,
  clock,
  log,
}: BackupsParts): Backups {
  const dir = join(dataDir, BACKUP_FOLDER);
  let running: Promise<BackupHead> | null = null;

  /** One process at a time: each clears away what a broken one left, and must not take that of another that works. */
  async function alone<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const lock = holdLock(
      join(dataDir, "backup.lock.db"),
      "A backup is being made on this data folder already; try again in a moment.",
    );
    try {
      await tidy(dir);
      return await work();
    } finally {
      await tidy(dir);
      lock.release();
    }
  }

  async function make(kind: BackupKind): Promise<BackupHead> {
    const at = clock.now();
    const name = backupName(kind, at);
    const [plain, half] = [join(dir, `${name}.plain${HALF}`), join(dir, `${name}${HALF}`)];
    await assertRoom(dataDir);
    await alone(async () => {
      // Made first, so that nobody else may ever read it.
      closeSync(openSync(plain, "wx", 0o600));
      const watermark = await store.watermark();
      await store.copyInto(plain);
      const schema = await checkCopy(plain);
      await writeContainer(half, plain, { name, kind, at: at.toISOString(), schema, watermark }, keyForFile);
      // What cannot be opened again is no backup.
      await openContainer(half, openFileKey, () => Promise.resolve());
      await rename(half, join(dir, name));
      await syncFolder(dir);
    });
    const head = await readHead(join(dir, name));
    log.info({ backup: name, bytes: head.bytes, ms: clock.now().getTime() - at.getTime() }, "backup.made");
    await prune();
    return head;
  }

  /** Made while the clock was ahead: older than what is made now, whatever date it bears, or that would be removed at once. */
  async function newestFirst(): Promise<BackupHead[]> {
    const now = clock.now().toISOString();
    const all = await listBackups(dataDir);
    return [...all.filter(({ at }) => at <= now), ...all.filter(({ at }) => at > now)];
  }

  async function prune(): Promise<void> {
    const left = { ...KEPT };
    for (const { name, kind } of await newestFirst())
      if (left[kind]-- <= 0) await rm(join(dir, name), { force: true });
  }

  const now = (kind: BackupKind): Promise<BackupHead> =>
    (running ??= make(kind).finally(() => {
      running = null;
    }));

  return {
    now,
    hourly: async () => {
      const today = clock.now().toISOString().slice(0, 10);
      const all = await listBackups(dataDir);
      return now(all.some(({ kind, at }) => kind === "daily" && at.startsWith(today)) ? "hourly" : "daily");
    },
    drill: async () => {
      const [newest] = await newestFirst();
      if (newest === undefined) {
        if ((await backupFiles(dataDir)).length === 0) return null;
        throw new Error("None of the backups can be read.");
      }
      await alone(async () => {
        await unpackWhole(join(dir, newest.name), join(dir, `drill${HALF}`), openFileKey);
      });
      log.info({ backup: newest.name }, "backup.drilled");
      return newest;
    },
    list: () => listBackups(dataDir),
    idle: async () => {
      await Promise.allSettled([running]);
    },
  };
}

/** Names of one kind are in the order of their making. */
export const backupName = (kind: BackupKind, at: Date): string =>
  `hub-${at.toISOString().replace(/[-:.]/g, "")}-${kind}${SUFFIX}`;

export async function listBackups(dataDir: string): Promise<BackupHead[]> {
  const heads: BackupHead[] = [];
  for (const name of await backupFiles(dataDir)) {
    const head = await readHead(join(dataDir, BACKUP_FOLDER, name)).catch(() => null);
    if (head !== null) heads.push(head);
  }
  return heads.sort((one, other) => other.at.localeCompare(one.at) || other.name.localeCompare(one.name));
}

const backupFiles = async (dataDir: string): Promise<string[]> =>
  (await readdir(join(dataDir, BACKUP_FOLDER)).catch(() => [])).filter((name) => name.endsWith(SUFFIX));

/** The copy, plain and sealed, lies on the disk for a moment: a backup must not be what fills it. */
async function assertRoom(dataDir: string): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir);
  const { size } = await stat(join(dataDir, "hub.db"));
  const neededBytes = 2 * size + SPARE_BYTES;
  if (bavail * bsize < neededBytes)
    throw new Error(
      `There is no room for a backup: it needs ${Math.ceil(neededBytes / 1e6)} MB for a moment.`,
    );
}

/** What a backup that was broken off left behind. */
async function tidy(dir: string): Promise<void> {
  for (const name of await readdir(dir)) if (name.includes(HALF)) await rm(join(dir, name), { force: true });
}
