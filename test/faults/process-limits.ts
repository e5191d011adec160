/** What the system allows a process, changed while it runs, and how busy that process is. Linux, with prlimit(1). */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** In the unit of /proc: a hundredth of a second. */
const TICK_MS = 10;
const PRLIMIT = "prlimit";

export const canLimit = (): boolean =>
  spawnSync(PRLIMIT, ["--pid", String(process.pid), "--nofile"], { stdio: "ignore" }).status === 0;

/** Sets how much it may have of something at most; `null` gives back what it had. Its hard limit stays. */
export function limit(pid: number, what: "data" | "fsize" | "nofile", soft: number | null): void {
  const hard = spawnSync(PRLIMIT, [
    "--pid",
    String(pid),
    `--${what}`,
    "--output=HARD",
    "--noheadings",
    "--raw",
  ]);
  const value = soft ?? hard.stdout.toString().trim();
  const { status, stderr } = spawnSync(PRLIMIT, ["--pid", String(pid), `--${what}=${value}:`]);
  if (status !== 0) throw new Error(`prlimit: ${stderr.toString()}`);
}

export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Bytes of memory that it may write to, as the limit `data` counts them. Fails where the process is no more. */
export function memoryOf(pid: number): number {
  const kB = /^VmData:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kB === undefined) throw new Error(`Process ${pid} has ended`);
  return Number(kB) * 1024;
}

/** Time on a processor so far. */
export function busyMs(pid: number): number {
  // Behind the name of the program, which may hold spaces: fields 14 and 15 are its own time and the system's.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
