/** The emulator as a process of its own, so that it does not share the processor of what is measured or killed. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createEmulatorClient, type EmulatorClient } from "./client.ts";

export interface SpawnedEmulator extends EmulatorClient {
  readonly wsUrl: string;
  readonly pid: number;
  /** For a program that has to take it for WhatsApp. */
  readonly environment: { WHATSAPP_EMULATOR_URL: string; WA_WEB_SOCKET_URL: string };
  /** Node arguments for that program. */
  readonly preload: string[];
  stop(): Promise<void>;
}

const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
export const TRUST_PRELOAD = new URL("trust-preload.mjs", import.meta.url).href;

export async function spawnEmulator({ port = 0 }: { port?: number } = {}): Promise<SpawnedEmulator> {
  const child = spawn(process.execPath, ["--import", TSX, MAIN, "--json", "--port", String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ready = await new Promise<{ url: string; wsUrl: string; pid: number }>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (status) =>
      reject(new Error(`the emulator ended with ${status} before it was ready`)),
    );
    createInterface({ input: child.stdout }).once("line", (line) => {
      try {
        resolve(JSON.parse(line) as { url: string; wsUrl: string; pid: number }); // main.ts wrote it
      } catch (cause) {
        reject(new Error("the emulator's ready line is not JSON", { cause }));
      }
    });
  });
  return {
    ...createEmulatorClient(ready.url),
    wsUrl: ready.wsUrl,
    pid: ready.pid,
    environment: { WHATSAPP_EMULATOR_URL: ready.url, WA_WEB_SOCKET_URL: ready.wsUrl },
    preload: ["--import", TRUST_PRELOAD],
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
