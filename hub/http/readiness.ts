/** What must work before the hub may be called ready; each check has its own deadline and never throws. */
import { statfs } from "node:fs/promises";
import type { HttpContext } from "./context.ts";

const DEADLINE_MS = 2_000;
/** Less than this and SQLite's log may not fit. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;

export interface Readiness {
  ready: boolean;
  checks: Record<"store" | "disk" | "sessions" | "outbox" | "load", boolean>;
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

async function hasRoom(dataDir: string | null): Promise<boolean> {
  if (dataDir === null) return true;
  const { bavail, bsize } = await statfs(dataDir);
  return bavail * bsize >= MIN_FREE_BYTES;
}

export async function readiness({
  store,
  sessions,
  dataDir,
  clock,
  pressure,
  stopping,
}: HttpContext): Promise<Readiness> {
  const [canary, disk, list, stats] = await Promise.all([
    works(() => store.canary()),
    works(() => hasRoom(dataDir)),
    works(() => sessions.list()),
    works(() => store.outbox.stats(null, clock.now())),
  ]);
  const checks = { store: canary, disk, sessions: list, outbox: stats, load: !pressure.isHigh() };
  return { ready: !stopping.aborted && Object.values(checks).every(Boolean), checks };
}
