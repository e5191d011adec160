/**
 * What a process leaves behind to be known by: its number, and, as numbers are given again after a restart, the boot and the
 * moment it began in. Where the system does not tell those (it does on Linux), the number alone.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";

/** A name for a file that nobody has had before: `4711_<boot>.<start>_<random>`. */
export async function newMark(): Promise<string> {
  const began = await beganAt(process.pid);
  return [process.pid, began ?? "", randomBytes(4).toString("hex")].join("_");
}

export const pidIn = (mark: string): number => Number(mark.split("_")[0]);

/** False also for what is no mark. A number alone, as an earlier version left it, counts while any process has it. */
export async function lives(mark: string): Promise<boolean> {
  const pid = pidIn(mark);
  if (!isAlive(pid)) return false;
  const began = mark.split("_")[1] ?? "";
  const beganNow = await beganAt(pid);
  return began === "" || beganNow === null || began === beganNow;
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

/** Place of `starttime` among what follows the program's name, which may hold blanks and brackets itself. */
const START = 22 - 3;

async function beganAt(pid: number): Promise<string | null> {
  try {
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START];
    return start === undefined ? null : `${boot.trim()}.${start}`;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause) return null;
    throw cause;
  }
}
