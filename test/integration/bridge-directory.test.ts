/** The client directory at the bridge's doors: answered at once, done in the background, seen and retried from outside. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { openBridgeRig, READER, type BridgeRig } from "../support/bridge-rig.ts";
import { listIn, recordOf } from "../support/http-rig.ts";
import { startWisproServer, wisproRecords, type WisproServer } from "../support/wispro-server.ts";

const PATH = "/api/users/sync-wispro-all";
const TOKEN = "raw-token-of-the-directory";

async function withDirectory(): Promise<{ rig: BridgeRig; wispro: WisproServer }> {
  const wispro = await startWisproServer({ token: TOKEN, records: wisproRecords(30) });
  onTestFinished(() => wispro.stop());
  return { wispro, rig: await openBridgeRig({ env: { WISPRO_URL: wispro.url, WISPRO_TOKEN: TOKEN } }) };
}

test("a pass that failed is listed beside the later ones, told to monitors, and retried by its id", async () => {
  const { rig, wispro } = await withDirectory();
  const figure = async (name: string): Promise<string | undefined> =>
    new RegExp(`^inbox_bridge_directory_${name} (.*)$`, "m").exec(
      (await rig.call("GET", "/metrics")).text,
    )?.[1];
  const jobs = async (args = {}) =>
    listIn((await rig.method("api.directory.list_jobs", args)).message, "jobs");
  const pass = async (): Promise<string> => {
    const { json } = await rig.call("POST", PATH);
    await rig.bridge.idle();
    return String(json["job_id"]);
  };
  expect([await figure("failed"), await jobs()]).toEqual(["0", []]);

  wispro.revokes();
  const failed = await pass();
  expect(await jobs({ failed: 1 })).toMatchObject([{ job_id: failed, status: "failed" }]);
  expect([await figure("failed"), await figure("errors"), await figure('jobs{status="failed"}')]).toEqual([
    ...["1", "1", "1"],
  ]);
  expect((await rig.call("GET", "/readyz")).status).toBe(200);

  wispro.accepts(TOKEN);
  const good = await pass();
  expect(await figure("failed")).toBe("0");
  expect((await jobs()).map((job) => [job["job_id"], job["status"]])).toEqual([
    [good, "completed"],
    [failed, "failed"],
  ]);
  expect((await rig.call("GET", `${PATH}/jobs?failed=1`)).json).toMatchObject({ jobs: [{ job_id: failed }] });

  const unknown = await rig.method("api.directory.retry_failed", { job_id: "dir_unknown" });
  expect(unknown.status).toBe(404);
  const retried = await rig.method("api.directory.retry_failed", { job_id: failed });
  expect(retried.message).toMatchObject({ success: true, job_id: failed, retrying: 1 });
  await rig.bridge.idle();
  expect((await rig.method("api.directory.get_status")).message).toMatchObject({
    job: { job_id: failed, status: "completed", errors: 0, unchanged: 30 },
  });
  expect(await jobs({ failed: 1 })).toEqual([]);
});

test("the operator's command shows the passes", { timeout: 60_000 }, async () => {
  const { rig, wispro } = await withDirectory();
  wispro.revokes();
  await rig.call("POST", PATH);
  await rig.bridge.idle();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "scripts/bridge-status.ts"],
    { env: { PATH: process.env["PATH"], BRIDGE_URL: rig.url, BRIDGE_METHOD_KEYS: `${READER}:read` } },
  );
  expect(stdout).toMatch(/Client directory[^]*dir_\S+ +wispro +failed .*refuses the token/);
});

test("a pass is started, followed and repeated at the paths its callers know", async () => {
  const { rig } = await withDirectory();
  expect((await rig.call("GET", `${PATH}/status`)).json).toEqual({ success: true, job: null });
  const started = await rig.call("POST", PATH);
  expect(started.status).toBe(200);
  expect(started.json).toEqual({
    success: true,
    message: "Synchronisation started",
    job_id: expect.stringMatching(/^dir_/) as string,
  });
  await rig.bridge.idle();
  const { json } = await rig.call("GET", `${PATH}/status`);
  expect(recordOf(json["job"])).toMatchObject({
    status: "completed",
    total_records: 30,
    created: 30,
    errors: 0,
    failed: [],
  });
  const again = await rig.method("api.directory.sync_all");
  expect(again.message).toMatchObject({ success: true });
  await rig.bridge.idle();
  expect((await rig.method("api.directory.get_status")).message).toMatchObject({
    job: { status: "completed", created: 0, unchanged: 30 },
  });
  expect((await rig.call("POST", `${PATH}/retry`, { body: { all: true } })).json).toMatchObject({
    success: true,
  });
  expect((await rig.call("POST", `${PATH}/retry`, { body: {} })).status).toBe(417);
});

test("without a directory it says what to configure", async () => {
  const rig = await openBridgeRig();
  expect((await rig.method("api.directory.list_jobs")).message).toEqual({ success: true, jobs: [] });
  const answer = await rig.call("POST", PATH);
  expect([answer.status, answer.json]).toEqual([
    501,
    expect.objectContaining({
      success: false,
      error: "No client directory is configured; set WISPRO_URL and WISPRO_TOKEN, or DIRECTORY_SOURCE.",
    }),
  ]);
});
