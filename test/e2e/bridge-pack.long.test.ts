/** The bridge as a package of its own: packed, installed in an empty folder without SQLite and Baileys, and used from there. */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { aMessage } from "../support/builders.ts";
import { recordOf } from "../support/http-rig.ts";
import { SECRET, signedHeaders, toldOf } from "../support/receiver-rig.ts";
import { until } from "../support/until.ts";
import { eventBody } from "../../hub/contract/index.ts";
import { compiles, servesInside } from "./packed-library.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const run = promisify(execFile);

/** Starts the packed bridge on a CRM in memory, posts one signed webhook to it, and tells what came of it. */
const PROBE = `
import { readFileSync } from "node:fs";
import { readBridgeConfig, startBridge } from "inbox-hub-bridge";
import { verify } from "inbox-hub-bridge/contract";

const { env, body, headers } = JSON.parse(readFileSync("webhook.json", "utf8"));
const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const bridge = await startBridge(readBridgeConfig(env), quiet);
const post = (path) => fetch(bridge.url + path, { method: "POST", headers, body }).then((answer) => answer.json());
const first = await post("/webhook");
const list = await fetch(bridge.url + "/api/resource/WhatsApp%20Message", { headers: { "X-API-Key": bridge.newMethodKey } });
const { data } = await list.json();
await bridge.stop();
console.log(JSON.stringify({ first, records: data.length, verify: typeof verify }));
`;

/** As a person starts and stops it: npx puts a shell in between. */
async function npxStops(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const npx = spawn("npx", ["--offline", "inbox-bridge"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void npx.kill("SIGKILL"));
  let output = "";
  npx.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await until("it is ready", () => output.includes('"bridge.ready"'), { timeoutMs: 60_000 });
  npx.kill("SIGTERM");
  await until(
    "it has let go of its folder",
    async () => !(await readdir(env["BRIDGE_DATA_DIR"] ?? "")).includes("bridge.lock"),
  );
}

test(
  "a CRM written for Node.js installs it and receives a signed webhook with it",
  { timeout: 360_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "bridge-pack-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { stdout: packed } = await run(process.execPath, ["scripts/pack-bridge.mjs", "--out", folder], {
      cwd: ROOT,
    });
    const tarball = packed.trim().split("\n").at(-1) ?? "";
    expect(tarball).toMatch(/inbox-hub-bridge-\d+\.\d+\.\d+\.tgz$/);

    await writeFile(join(folder, "package.json"), '{"name":"a-crm","private":true,"type":"module"}');
    const flags = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
    await run("npm", ["install", ...flags, tarball], { cwd: folder });
    const installed = await readdir(join(folder, "node_modules"));
    for (const name of ["@whiskeysockets", "better-sqlite3", "libsignal", "ws", "qrcode"])
      expect(installed).not.toContain(name);
    const about = recordOf(
      JSON.parse(await readFile(join(folder, "node_modules/inbox-hub-bridge/package.json"), "utf8")),
    );
    expect(about["peerDependencies"]).toEqual({ "better-sqlite3": expect.any(String) as string });

    const readme = await readFile(join(folder, "node_modules/inbox-hub-bridge/README.md"), "utf8");
    const example = /```js\n([^]*?)```/.exec(readme)?.[1] ?? "";
    await compiles(folder, example);

    const event = toldOf({ kind: "stored", message: aMessage() }, 5);
    const body = eventBody(event);
    const headers = {
      "Content-Type": "application/json",
      ...signedHeaders(body, { id: event.id, now: new Date() }),
    };
    const env = {
      BRIDGE_PORT: "0",
      BRIDGE_DATA_DIR: join(folder, "data"),
      BRIDGE_CRM: "memory",
      BRIDGE_HUB_URL: "http://127.0.0.1:9",
      BRIDGE_HUB_API_KEY: "unused",
      BRIDGE_WEBHOOK_SECRET: SECRET,
    };
    await writeFile(join(folder, "webhook.json"), JSON.stringify({ env, body, headers }));
    await writeFile(join(folder, "probe.js"), PROBE);
    const chosen = { PATH: process.env["PATH"], ...env, BRIDGE_CRM: "sqlite" };
    await expect(
      run(join(folder, "node_modules/.bin/inbox-bridge"), { cwd: folder, env: chosen }),
    ).rejects.toMatchObject({
      stderr: expect.stringMatching(/^[^\n]*install it beside the bridge[^\n]*\n$/) as string,
    });
    const apart = { ...env, BRIDGE_DATA_DIR: join(folder, "npx") };
    await npxStops(folder, { PATH: process.env["PATH"], HOME: folder, ...apart });

    const { stdout } = await run(process.execPath, ["probe.js"], { cwd: folder });
    await servesInside(folder, example, { env, body, headers });
    // As both are started by npm and pm2.
    const main = join(folder, "node_modules/inbox-hub-bridge/dist/bridge/main.js");
    await writeFile(main, 'console.log("__proto__" in {});');
    expect((await run(join(folder, "node_modules/.bin/inbox-bridge"), { cwd: folder })).stdout).toBe(
      "false\n",
    );
    expect(JSON.parse(stdout)).toMatchObject({
      first: { success: true, processed: { processed: true, action: "created" } },
      records: 1,
      verify: "function",
    });
  },
);
