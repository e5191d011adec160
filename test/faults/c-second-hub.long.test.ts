/** C18: more than one hub on a data folder, and a hub as a cluster. One lives; the others end and say why. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { newApiKey, startHubProcess } from "../support/hub-process.ts";
import { until } from "../support/until.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const HUB = join(ROOT, "dist/hub/main.js");
const COUNT = 4;
/** What pm2's cluster mode does. */
const CLUSTER = `
  const cluster = require("node:cluster");
  cluster.setupPrimary({ exec: ${JSON.stringify(HUB)}, execArgv: [] });
  for (let n = 0; n < ${COUNT}; n++)
    cluster.fork().on("exit", (code) => console.log("worker ended with " + code));
`;

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-c18-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "data");
}

interface Run {
  child: ChildProcess;
  text(): string;
  ended: Promise<unknown>;
}

function run(args: string[], dataDir: string): Run {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: {
      PATH: process.env["PATH"],
      HUB_DATA_DIR: dataDir,
      HUB_PORT: "0",
      HUB_API_KEY: newApiKey(),
      // Nobody may answer for WhatsApp here.
      WA_WEB_SOCKET_URL: "ws://127.0.0.1:9/",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (text += String(chunk)));
  const ended = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, text: () => text, ended };
}

const isHealthy = async (url: string): Promise<boolean> => (await fetch(`${url}/health`)).ok;

test("C18: a second hub on a running hub's folder is refused, and the first one does not notice", async () => {
  const dataDir = await aFolder();
  const first = await startHubProcess({ dataDir });
  onTestFinished(() => first.kill());
  const second = run([HUB], dataDir);
  await second.ended;
  expect(second.child.exitCode).toBe(1);
  expect(second.text()).toContain("Another Inbox Hub is running on this data folder");
  expect(second.text()).toContain("HUB_DATA_DIR");
  expect(await isHealthy(first.url)).toBe(true);
}, 300_000);

test("C18: of four that start at once on a new folder exactly one lives, and when it is killed the next one starts", async () => {
  const dataDir = await aFolder();
  const all = Array.from({ length: COUNT }, () => run([HUB], dataDir));
  const ready = () => all.filter(({ text }) => text().includes('"hub.ready"'));
  const over = () => all.filter(({ child }) => child.exitCode !== null);
  await until(
    "three to give up and one to be ready",
    () => over().length === COUNT - 1 && ready().length === 1,
    {
      timeoutMs: 60_000,
    },
  );
  expect(over().map(({ child }) => child.exitCode)).toEqual([1, 1, 1]);
  for (const { text } of over()) expect(text()).toContain("Another Inbox Hub is running");
  const [living] = ready();
  expect(living?.child.exitCode).toBeNull();

  living?.child.kill("SIGKILL");
  await living?.ended;
  const next = await startHubProcess({ dataDir });
  expect(await isHealthy(next.url)).toBe(true);
  await next.kill();
}, 300_000);

test("C18: as a cluster of four none starts, each says what to use, and nothing is written", async () => {
  const dataDir = await aFolder();
  const cluster = run(["-e", CLUSTER], dataDir);
  await cluster.ended;
  expect(cluster.text().match(/worker ended with 1/g)).toHaveLength(COUNT);
  expect(cluster.text().match(/pm2's fork mode/g)).toHaveLength(COUNT);
  expect(existsSync(dataDir)).toBe(false);
  const next = await startHubProcess({ dataDir });
  expect(await isHealthy(next.url)).toBe(true);
  await next.kill();
}, 300_000);
