/** The bridge as a process, and the commands its operator has for it. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startBridgeProcess } from "../support/bridge-process.ts";
import { aMessageFact } from "../support/builders.ts";
import { listIn, openHttpRig, recordOf } from "../support/http-rig.ts";
import { SECRET } from "../support/receiver-rig.ts";
import { until } from "../support/until.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const run = promisify(execFile);

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "bridge-process-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const script = (name: string, args: string[], env: Record<string, string>) =>
  run(process.execPath, ["--import", "tsx", `scripts/${name}.ts`, ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], ...env },
  });

test(
  "starts with its key shown once, is asked and ordered by commands, and stops when told",
  { timeout: 180_000 },
  async () => {
    const hub = await openHttpRig();
    await hub.session("s1");
    await hub.tell("s1", aMessageFact({ content: "hola" }));
    const dir = await folder();
    const env = {
      BRIDGE_DATA_DIR: dir,
      BRIDGE_HUB_URL: hub.url,
      BRIDGE_HUB_API_KEY: hub.key,
      BRIDGE_WEBHOOK_SECRET: SECRET,
    };
    const bridge = await startBridgeProcess(env);
    onTestFinished(() => bridge.kill());
    const shown = bridge.output.filter((line) => /^ {2}admin:[\w-]{32}$/.test(line));
    expect(shown).toHaveLength(1);
    const key = shown[0]?.trim() ?? "";

    const caller = { BRIDGE_URL: bridge.url, BRIDGE_DATA_DIR: dir };
    const synced = await script("bridge-sync", ["s1"], caller);
    expect(synced.stdout).toMatch(/contacts +\d+/);
    expect(synced.stdout).toMatch(/In the CRM now: \d+ contacts, 1 chats, 1 messages\./);
    const { stdout: whole } = await script("bridge-sync", ["s1", "--full", "--json"], caller);
    expect(recordOf(JSON.parse(whole))).toMatchObject({ reasons: ["full"], messages: { processed: 1 } });
    const status = recordOf(JSON.parse((await script("bridge-status", ["--json"], caller)).stdout));
    expect(listIn(status, "connections")).toMatchObject([{ sessionId: "s1", status: "connected" }]);
    expect(listIn(status, "sessions")).toMatchObject([{ total_messages: 1, job: { status: "done" } }]);
    const { stdout: table } = await script("bridge-status", [], { ...caller, BRIDGE_METHOD_KEYS: key });
    expect(table).toContain("1 accounts: 1 connected");
    expect(table).toMatch(/s1 +connected/);
    expect(table).toMatch(/behind +differences/);
    await expect(script("bridge-sync", ["nobody"], caller)).rejects.toMatchObject({ code: 1 });

    await bridge.kill("SIGTERM");
    expect(await bridge.exited).toBe(0);
    expect(bridge.output.join("\n")).not.toContain("34600111222");
    expect(bridge.output.filter((line) => line.includes(key))).toHaveLength(1);

    const again = await startBridgeProcess(env);
    onTestFinished(() => again.kill());
    expect(again.output.join("\n")).not.toContain(key);
    await until("the message is still there", async () => {
      const answer = await fetch(`${again.url}/api/resource/WhatsApp%20Message`, {
        headers: { "X-API-Key": key },
      });
      return listIn(recordOf(await answer.json()), "data").length === 1;
    });
  },
);

test("a configuration that is wrong is told in full, and nothing starts", async () => {
  const dir = await folder();
  await expect(startBridgeProcess({ BRIDGE_DATA_DIR: dir, BRIDGE_CRM: "excel" })).rejects.toThrow(
    /Invalid configuration:[\s\S]*BRIDGE_HUB_API_KEY[\s\S]*BRIDGE_CRM/,
  );
});

test("a CRM is prepared by one command", async () => {
  const { stdout } = await script("bridge-prepare", [], {
    BRIDGE_DATA_DIR: await folder(),
    BRIDGE_HUB_API_KEY: "unused",
    BRIDGE_WEBHOOK_SECRET: SECRET,
  });
  expect(stdout).toContain("The sqlite CRM is ready.");
});
