/** Started by npm, as the guides say: who stops npm stops the process, which closes its folder in order. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { newApiKey } from "../support/hub-process.ts";
import { SECRET } from "../support/receiver-rig.ts";
import { until } from "../support/until.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

interface Line {
  msg?: unknown;
  pid?: unknown;
}

/** Starts a script of package.json; `lines`: its log. */
async function npmRun(name: string, env: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), "npm-stop-"));
  const npm = spawn("npm", ["run", name], {
    cwd: ROOT,
    env: {
      ...{ PATH: process.env["PATH"], HOME: folder, HUB_DATA_DIR: folder, BRIDGE_DATA_DIR: folder },
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: Line[] = [];
  for (const stream of [npm.stdout, npm.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      // A line of the log is such an object.
      if (line.startsWith("{")) lines.push(JSON.parse(line) as Line);
    });
  const said = (msg: string): Line | undefined => lines.find((line) => line.msg === msg);
  onTestFinished(async () => {
    npm.kill("SIGKILL");
    const pid = lines.find((line) => typeof line.pid === "number")?.pid;
    if (typeof pid === "number" && isAlive(pid)) process.kill(pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });
  return { npm, folder, said };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // how the system says that nobody has this number
  }
}

test.each([
  {
    name: "bridge",
    ready: "bridge.ready",
    env: {
      BRIDGE_PORT: "0",
      BRIDGE_CRM: "memory",
      BRIDGE_HUB_URL: "http://127.0.0.1:9",
      BRIDGE_HUB_API_KEY: "unused",
      BRIDGE_WEBHOOK_SECRET: SECRET,
    },
  },
  {
    name: "start",
    ready: "hub.ready",
    env: { HUB_PORT: "0", HUB_API_KEY: newApiKey() },
  },
])("npm run $name", { timeout: 120_000 }, async ({ name, ready, env }) => {
  const { npm, folder, said } = await npmRun(name, env);
  const line = await until("it is ready", () => said(ready), { timeoutMs: 90_000 });
  const { pid } = line;
  if (typeof pid !== "number") throw new Error("the log names no process");
  npm.kill("SIGTERM");
  await once(npm, "close");
  await until("the process has ended", () => !isAlive(pid));
  expect(await readdir(folder)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^bridge\.lock|-wal$/)]),
  );
});
