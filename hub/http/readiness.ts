/** What must work before the hub may be called ready; each check has its own deadline and never throws. */
import { access, constants, open, statfs } from "node:fs/promises";
import type { HttpContext } from "./context.ts";

const DEADLINE_MS = 2_000;
/** Less than this and SQLite's log may not fit. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;

export interface Readiness {
  ready: boolean;
  checks: Record<"store" | "disk" | "files" | "sessions" | "outbox" | "load", boolean>;
}

async function works(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), DEADLINE_MS);
  });
  const done = check().then(
    (result) => result !== false,
    () => false, // the answer is "not ready"; why is in the log of the part itself
  );
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}

/** Room, and the right to use it: the database's own files may be open from before both were lost. */
async function hasRoom(dataDir: string | null): Promise<boolean> {
  if (dataDir === null) return true;
  await access(dataDir, constants.W_OK | constants.X_OK);
  const { bavail, bsize } = await statfs(dataDir);
  return bavail * bsize >= MIN_FREE_BYTES;
}

/** A process that may open nothing more can take no call and send no webhook. */
async function canOpenFiles(): Promise<void> {
  await (await open("/dev/null", "r")).close();
}

export async function readiness({
  store,
  sessions,
  dataDir,
  clock,
  pressure,
  stopping,
}: HttpContext): Promise<Readiness> {
  const [canary, disk, files, list, stats] = await Promise.all([
    works(() => store.canary()),
    works(() => hasRoom(dataDir)),
    works(canOpenFiles),
    works(() => sessions.list()),
    works(() => store.outbox.stats(null, clock.now())),
  ]);
  const checks = { store: canary, disk, files, sessions: list, outbox: stats, load: !pressure.isHigh() };
  return { ready: !stopping.aborted && Object.values(checks).every(Boolean), checks };
}
