/** What another process cost so far, as Linux accounts it. */
import { readFileSync } from "node:fs";

/** Clock ticks per second of /proc's figures; fixed at 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system CPU time in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Fields after the command's closing bracket; utime and stime are the 14th and 15th of the line.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in MB. */
export function residentMb(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (line === null) throw new Error(`no resident memory for process ${pid}`);
  return Number(line[1]) / 1024;
}
