/** The hub under the real pm2, with the project's own ecosystem file: started, killed, brought back, stopped in order. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { newApiKey } from "../support/hub-process.ts";
import { freePort } from "../support/product-process.ts";
import { until } from "../support/until.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const PM2 = join(ROOT, "node_modules", ".bin", "pm2");
const run = promisify(execFile);

let folder = "";
let port = 0;
let env: NodeJS.ProcessEnv = {};

const pm2 = async (...args: string[]): Promise<string> =>
  (await run(PM2, args, { cwd: ROOT, env, maxBuffer: 16 * 1024 * 1024 })).stdout;

const processSchema = z.object({
  name: z.string(),
  pid: z.number(),
  pm2_env: z.object({
    status: z.string(),
    restart_time: z.number(),
    exec_mode: z.string(),
    pm_out_log_path: z.string(),
    pm_err_log_path: z.string(),
  }),
});
/** What pm2 knows of the hub; it may print other lines before its JSON. */
async function hubProcess(): Promise<z.infer<typeof processSchema>> {
  const text = await pm2("jlist", "--silent");
  const all = z.array(processSchema).parse(JSON.parse(text.slice(text.indexOf("["))));
  const hub = all.find(({ name }) => name === "inbox-hub");
  if (hub === undefined) throw new Error("pm2 does not know the hub");
  return hub;
}

/** Everything pm2 wrote into its log files of that name; several processes have one each. */
async function logOf(name: string): Promise<string> {
  const logs = join(folder, "pm2", "logs");
  const files = (await readdir(logs)).filter((file) => file.startsWith(name));
  return (await Promise.all(files.map((file) => readFile(join(logs, file), "utf8")))).join("");
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const answers = (): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inbox-hub-pm2-"));
  port = await freePort();
  env = {
    ...process.env,
    PM2_HOME: join(folder, "pm2"),
    HUB_PORT: String(port),
    HUB_DATA_DIR: join(folder, "data"),
    HUB_API_KEY: newApiKey(),
    // Nobody may answer for WhatsApp here; no session is started.
    WA_WEB_SOCKET_URL: "ws://127.0.0.1:9/",
    BRIDGE_HUB_API_KEY: "",
  };
  await pm2("start", "ecosystem.config.cjs");
}, 90_000);

afterAll(async () => {
  // Ends the daemon of this folder, and with it everything it started.
  await pm2("kill").catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
}, 60_000);

describe("under pm2", () => {
  test("`start` answers when the hub is ready: one process, not a cluster", async () => {
    expect(await answers()).toBe(true);
    expect((await hubProcess()).pm2_env).toMatchObject({ status: "online", exec_mode: "fork_mode" });
  }, 60_000);

  test("what it says is in two files whose names do not change, and not in the data folder", async () => {
    const logs = join(folder, "pm2", "logs");
    expect((await hubProcess()).pm2_env).toMatchObject({
      pm_out_log_path: join(logs, "inbox-hub-out.log"),
      pm_err_log_path: join(logs, "inbox-hub-error.log"),
    });
    expect(await readFile(join(logs, "inbox-hub-out.log"), "utf8")).toContain('"msg":"hub.ready"');
  }, 60_000);

  test("after kill -9 it is back on the same data", async () => {
    const before = await hubProcess();
    process.kill(before.pid, "SIGKILL");
    const after = await until(
      "another process online",
      async () => {
        const now = await hubProcess();
        return now.pid !== before.pid && now.pm2_env.status === "online" ? now : null;
      },
      { timeoutMs: 40_000, everyMs: 300 },
    );
    expect(after.pm2_env.restart_time).toBe(before.pm2_env.restart_time + 1);
    await until("the API again", answers, { timeoutMs: 20_000 });
  }, 90_000);

  test("a second hub on the same data refuses to start and says why", async () => {
    const second = await run(process.execPath, [join(ROOT, "dist/hub/main.js")], {
      env: { ...env, HUB_PORT: "0" },
      timeout: 30_000,
    }).catch((error: unknown) => z.object({ stderr: z.string(), code: z.number() }).parse(error));
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toContain("Another Inbox Hub is running");
    expect(await answers()).toBe(true);
  }, 60_000);

  test("as a cluster it refuses to start and says what to use", async () => {
    await pm2("start", "dist/hub/main.js", "--name", "clustered", "-i", "2", "--no-autorestart");
    await until(
      "the refusal in its log",
      async () => (await logOf("clustered-error")).includes("fork mode"),
      {
        timeoutMs: 30_000,
        everyMs: 200,
      },
    );
    await pm2("delete", "clustered");
    expect(await answers()).toBe(true);
  }, 90_000);

  test("`stop` ends it in order", async () => {
    const { pid } = await hubProcess();
    await pm2("stop", "ecosystem.config.cjs");
    expect(isAlive(pid)).toBe(false);
    expect((await hubProcess()).pm2_env.status).toBe("stopped");
    const log = await logOf("inbox-hub-out");
    expect(log.split("\n").filter(Boolean).at(-1)).toContain('"msg":"hub.stopping"');
  }, 60_000);
});
