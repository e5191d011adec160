/** One of our processes as its users run it: started, watched until it says that it is ready, killed at will. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const ROOT = new URL("../..", import.meta.url).pathname;

/** As in all start commands. */
const AS_STARTED = ["--disable-proto=delete"];

export interface User {
  uid: number;
  gid: number;
}

export interface ProductProcess {
  url: string;
  pid: number;
  /** Everything it wrote so far, line by line. */
  output: string[];
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>;
  /** `SIGKILL` by default: nothing is flushed, nothing is said. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** It never became ready. */
export class StartError extends Error {
  /** Exit code or signal; null when it was given up while it still ran. */
  readonly ending: number | string | null;

  constructor(why: string, ending: number | string | null, output: string[]) {
    super(`The process ${why}.\n${output.slice(-20).join("\n")}`);
    this.ending = ending;
  }
}

/** Starts `entry` and waits for its log line `readyEvent`, which names its URL; fails with its output otherwise. */
export async function startProduct({
  entry,
  env,
  readyEvent,
  nodeOptions = [],
  user,
  readyTimeoutMs = 30_000,
}: {
  /** Module to run, relative to the project. */
  entry: string;
  /** The whole environment, but for PATH. */
  env: Record<string, string>;
  readyEvent: string;
  /** Options of node itself, e.g. `--import` of the emulator's preload. */
  nodeOptions?: string[];
  /** Whose process it is; needs root. */
  user?: User;
  readyTimeoutMs?: number;
}): Promise<ProductProcess> {
  const child = spawn(process.execPath, [...AS_STARTED, ...nodeOptions, entry], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...user,
  });
  const output: string[] = [];
  const exited = once(child, "exit").then(([code, signal]: unknown[]) =>
    typeof code === "number" ? code : String(signal),
  );
  const url = await ready(child, { output, readyEvent, timeoutMs: readyTimeoutMs });
  return {
    url,
    pid: child.pid ?? 0,
    output,
    exited,
    kill: async (signal = "SIGKILL") => {
      child.kill(signal);
      await exited;
    },
  };
}

function ready(
  child: ChildProcess,
  { output, readyEvent, timeoutMs }: { output: string[]; readyEvent: string; timeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null, signal: string | null): void =>
      fail("ended before it was ready", code ?? signal);
    const fail = (why: string, ending: number | string | null): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new StartError(why, ending, output));
    };
    const timer = setTimeout(() => fail(`was not ready within ${timeoutMs} ms`, null), timeoutMs);
    child.once("exit", ended);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        output.push(line);
        const url = readyUrl(line, readyEvent);
        if (url === null) return;
        clearTimeout(timer);
        child.off("exit", ended);
        resolve(url);
      });
    }
  });
}

function readyUrl(line: string, readyEvent: string): string | null {
  if (!line.includes(`"${readyEvent}"`)) return null;
  const entry: unknown = JSON.parse(line);
  return typeof entry === "object" && entry !== null && "url" in entry && typeof entry.url === "string"
    ? entry.url
    : null;
}

/** For processes that must know each other's address before either of them runs. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}
