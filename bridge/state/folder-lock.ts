/**
 * One bridge per data folder: two would write over each other's memory. A file with the owner's process number; one left
 * behind by a killed process names nobody who lives, and is taken over.
 */
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

export interface FolderLock {
  release(): Promise<void>;
}

/** @throws Error in plain words when another bridge runs on this folder */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const file = join(dir, "bridge.lock");
  const take = async (): Promise<boolean> => {
    try {
      const handle = await open(file, "wx", 0o600);
      await handle.writeFile(String(process.pid));
      await handle.close();
      return true;
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return false;
      throw cause;
    }
  };
  if (!(await take())) {
    const owner = Number(await readFile(file, "utf8"));
    // Our own number: a restart in a container gives the same one again.
    if (owner !== process.pid && isAlive(owner))
      throw new Error(
        `Another bridge (process ${owner}) runs on this data folder. Stop it first, or choose another BRIDGE_DATA_DIR. ` +
          `If that process is something else, delete ${file}.`,
      );
    await rm(file, { force: true });
    if (!(await take())) throw new Error("Another bridge has just started on this data folder.");
  }
  return { release: () => rm(file, { force: true }) };
}

/** Signal 0 only asks. A process of somebody else's may not be signalled, but it lives. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}
