/**
 * What an operator got wrong is told in one line with what helps, and ends the process with 1: no stack, nothing left behind.
 * What a start tells has no secrets in it.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startBridgeProcess } from "../support/bridge-process.ts";
import { freePort, StartError } from "../support/product-process.ts";
import { SECRET } from "../support/receiver-rig.ts";

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "bridge-start-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const settings = (dir: string): Record<string, string> => ({
  BRIDGE_DATA_DIR: dir,
  BRIDGE_CRM: "memory",
  BRIDGE_HUB_URL: "http://127.0.0.1:9",
  BRIDGE_HUB_API_KEY: "unused",
  BRIDGE_WEBHOOK_SECRET: SECRET,
});

/** What a start that fails says. */
async function said(env: Record<string, string>): Promise<string> {
  const error: unknown = await startBridgeProcess(env).catch((cause: unknown) => cause);
  if (!(error instanceof StartError)) throw new Error("it has started");
  expect(error.ending).toBe(1);
  const [, ...lines] = error.message.split("\n");
  expect(lines).toHaveLength(1);
  return lines.join("\n");
}

test("a second bridge on the same folder", async () => {
  const dir = await folder();
  const first = await startBridgeProcess(settings(dir));
  onTestFinished(() => first.kill());
  expect(await said(settings(dir))).toMatch(
    new RegExp(`^Another bridge \\(process ${first.pid}\\) runs on this data folder\\. Stop it first`),
  );
});

test("a port that is taken", async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  expect(await said({ ...settings(await folder()), BRIDGE_PORT: String(port) })).toMatch(
    new RegExp(`^Port ${port} of 127\\.0\\.0\\.1 is taken: .*BRIDGE_PORT \\(EADDRINUSE\\)\\.$`),
  );
});

test("a host that is not this machine's", async () => {
  expect(await said({ ...settings(await folder()), BRIDGE_HOST: "192.0.2.1" })).toMatch(
    /^192\.0\.2\.1 is no address of this machine: set BRIDGE_HOST/,
  );
});

test("a data folder that is a file", async () => {
  const file = join(await folder(), "data");
  await writeFile(file, "");
  expect(await said(settings(file))).toBe(
    `The data folder ${file} is a file (EEXIST): set BRIDGE_DATA_DIR to a folder that the bridge may write.`,
  );
});

test("a user name and password before the hub's address are in no line of the log", async () => {
  const BRIDGE_HUB_URL = "http://ana:hunter22@127.0.0.1:9/hub";
  const bridge = await startBridgeProcess({ ...settings(await folder()), BRIDGE_HUB_URL });
  onTestFinished(() => bridge.kill());
  const log = bridge.output.join("\n");
  expect(log).toContain('"hub":"http://127.0.0.1:9/hub"');
  expect(log).not.toMatch(/ana:|hunter22/);
});
