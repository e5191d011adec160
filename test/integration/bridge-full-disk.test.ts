/** A data folder that takes nothing more: whoever orders something is told, with what to do. */
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rigWithPeople, type BridgeRig } from "../support/bridge-rig.ts";

const nextOf = (rig: BridgeRig): string => join(rig.dir, "bridge.json.next");

test.each([
  ["is full", (file: string) => symlink("/dev/full", file), "DISK_FULL", "is full (ENOSPC): make room"],
  ["cannot be written", (file: string) => mkdir(file), "STATE_NOT_KEPT", "EISDIR): look at its disk"],
])("a sync is not ordered while the data folder %s", async (_what, breaks, code, advice) => {
  const rig = await rigWithPeople();
  await rig.bridge.idle();
  const order = () => rig.method("api.sync.sync_session_complete", { session_name: "s1" });
  await breaks(nextOf(rig));
  const refused = await order();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
  expect(refused.message).toMatchObject({ success: false, code });
  expect(refused.message["error"]).toContain(advice);
  await rm(nextOf(rig), { recursive: true });
  expect((await order()).message).toMatchObject({ success: true, session: "s1" });
});
