/** A hub as its users run it: a process of its own, on a free port, in a folder of its own; killed and started again at will. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";

const ROOT = new URL("../..", import.meta.url).pathname;

export interface HubProcess {
  url: string;
  apiKey: string;
  pid: number;
  /** Everything it wrote so far, line by line. */
  output: string[];
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>;
  /** `SIGKILL` by default: nothing is flushed, nothing is said. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface HubProcessOptions {
  dataDir: string;
  apiKey?: string;
  /** Fixed, so that a restarted hub keeps its address; 0 takes a free one. */
  port?: number;
  /** Further settings, by their names. */
  env?: Record<string, string>;
  /** Options of node itself, e.g. `--import` of the emulator's preload. */
  nodeOptions?: string[];
  /** Module to run, relative to the project. */
  entry?: string;
  readyTimeoutMs?: number;
}

/** It never became ready. */
export class HubStartError extends Error {
  /** Exit code or signal; null when it was given up while it still ran. */
  readonly ending: number | string | null;

  constructor(why: string, ending: number | string | null, output: string[]) {
    super(`The hub ${why}.\n${output.slice(-20).join("\n")}`);
    this.ending = ending;
  }
}

export const newApiKey = (): string => `test_${randomBytes(24).toString("hex")}`;

/** Starts a hub and waits until it says that it is ready; fails with its output when it does not. */
export async function startHubProcess({
  dataDir,
  apiKey = newApiKey(),
  port = 0,
  env = {},
  nodeOptions = [],
  entry = "dist/hub/main.js",
  readyTimeoutMs = 30_000,
}: HubProcessOptions): Promise<HubProcess> {
  const child = spawn(process.execPath, [...nodeOptions, entry], {
    cwd: ROOT,
    env: {
      PATH: process.env["PATH"],
      HUB_DATA_DIR: dataDir,
      HUB_PORT: String(port),
      HUB_API_KEY: apiKey,
      HUB_WEBHOOK_ALLOW_CIDRS: "127.0.0.0/8",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  const exited = once(child, "exit").then(([code, signal]: unknown[]) =>
    typeof code === "number" ? code : String(signal),
  );
  const url = await ready(child, output, readyTimeoutMs);
  return {
    url,
    apiKey,
    pid: child.pid ?? 0,
    output,
    exited,
    kill: async (signal = "SIGKILL") => {
      child.kill(signal);
      await exited;
    },
  };
}

function ready(child: ChildProcess, output: string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null, signal: string | null): void =>
      fail("ended before it was ready", code ?? signal);
    const fail = (why: string, ending: number | string | null): void => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new HubStartError(why, ending, output));
    };
    const timer = setTimeout(() => fail(`was not ready within ${timeoutMs} ms`, null), timeoutMs);
    child.once("exit", ended);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        output.push(line);
        const url = readyUrl(line);
        if (url === null) return;
        clearTimeout(timer);
        child.off("exit", ended);
        resolve(url);
      });
    }
  });
}

function readyUrl(line: string): string | null {
  if (!line.includes('"hub.ready"')) return null;
  const entry: unknown = JSON.parse(line);
  return typeof entry === "object" && entry !== null && "url" in entry && typeof entry.url === "string"
    ? entry.url
    : null;
}
