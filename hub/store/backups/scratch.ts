/** Room for a copy that lies open for a moment: away from the data, for its own user alone, and gone when the work ends (but for `kill -9`). */
import { rmSync } from "node:fs";
import { mkdtemp, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SPARE_BYTES = 64 * 1024 * 1024;
const ENDINGS = ["SIGINT", "SIGTERM"] as const;

/** @throws Error in plain words when there is no room */
export async function inScratch<T>(neededBytes: number, work: (folder: string) => Promise<T>): Promise<T> {
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize < neededBytes + SPARE_BYTES)
    throw new Error(
      `There is no room in ${tmpdir()}: the copy needs ${Math.ceil((neededBytes + SPARE_BYTES) / 1e6)} MB for a moment. ` +
        "Set TMPDIR to a folder on another disk.",
    );
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-copy-"));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  const endClean = (signal: NodeJS.Signals): void => {
    clean();
    // Not caught any more by now: it ends the process as it would have.
    process.kill(process.pid, signal);
  };
  for (const signal of ENDINGS) process.once(signal, endClean);
  try {
    return await work(folder);
  } finally {
    for (const signal of ENDINGS) process.off(signal, endClean);
    clean();
  }
}
