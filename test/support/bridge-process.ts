/** The bridge as its users run it: a process of its own, on a free port, in a folder of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const ROOT = new URL("../..", import.meta.url).pathname;
const READY_MS = 60_000;

export interface BridgeProcess {
  url: string;
  pid: number;
  /** Everything it wrote so far, line by line. */
  output: string[];
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>;
  /** `SIGKILL` by default: nothing is flushed, nothing is said. */
  kill(signal?: NodeJS.Signals): Promise<number | string>;
}

/** Resolves when it says that it is ready. @throws Error with its output when it does not */
export async function startBridgeProcess(
  env: Record<string, string>,
  { entry = "bridge/main.ts" }: { entry?: string } = {},
): Promise<BridgeProcess> {
  const child = spawn(process.execPath, ["--import", "tsx", entry], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], BRIDGE_PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  const exited = once(child, "exit").then(([code, signal]: unknown[]) =>
    typeof code === "number" ? code : String(signal),
  );
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`The bridge ${why}.\n${output.slice(-20).join("\n")}`));
    };
    const timer = setTimeout(() => fail(`was not ready within ${READY_MS} ms`), READY_MS);
    void exited.then((ending) => {
      clearTimeout(timer);
      fail(`ended (${ending}) before it was ready`);
    });
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => {
        output.push(line);
        const ready = readyUrl(line);
        if (ready === null) return;
        clearTimeout(timer);
        resolve(ready);
      });
  });
  return {
    url,
    pid: child.pid ?? 0,
    output,
    exited,
    kill: (signal = "SIGKILL") => {
      child.kill(signal);
      return exited;
    },
  };
}

function readyUrl(line: string): string | null {
  if (!line.includes('"bridge.ready"')) return null;
  const entry: unknown = JSON.parse(line);
  return typeof entry === "object" && entry !== null && "url" in entry && typeof entry.url === "string"
    ? entry.url
    : null;
}
