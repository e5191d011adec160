/** The client directory at the bridge's doors: answered at once, done in the background, seen and retried from outside. */
import { expect, onTestFinished, test } from "vitest";
import { openBridgeRig, type BridgeRig } from "../support/bridge-rig.ts";
import { recordOf } from "../support/http-rig.ts";
import { startWisproServer, wisproRecords } from "../support/wispro-server.ts";

const PATH = "/api/users/sync-wispro-all";
const TOKEN = "raw-token-of-the-directory";

async function rigWithDirectory(): Promise<BridgeRig> {
  const wispro = await startWisproServer({ token: TOKEN, records: wisproRecords(30) });
  onTestFinished(() => wispro.stop());
  return openBridgeRig({ env: { WISPRO_URL: wispro.url, WISPRO_TOKEN: TOKEN } });
}

test("a pass is started, followed and repeated at the paths its callers know", async () => {
  const rig = await rigWithDirectory();
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
  const answer = await rig.call("POST", PATH);
  expect([answer.status, answer.json]).toEqual([
    501,
    expect.objectContaining({
      success: false,
      error: "No client directory is configured; set WISPRO_URL and WISPRO_TOKEN.",
    }),
  ]);
});
