/** A data folder that takes nothing more: whoever orders something is told, with what to do. */
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ANA, rigWithPeople, type BridgeRig } from "../support/bridge-rig.ts";
import { hubDown } from "../support/fake-hub.ts";

const nextOf = (rig: BridgeRig, file = "bridge"): string => join(rig.dir, `${file}.json.next`);

const TROUBLES: [what: string, breaks: (file: string) => Promise<unknown>, code: string, advice: string][] = [
  ["is full", (file) => symlink("/dev/full", file), "DISK_FULL", "is full (ENOSPC): make room"],
  ["cannot be written", (file) => mkdir(file), "STATE_NOT_KEPT", "EISDIR): look at its disk"],
];

test.each(TROUBLES)("a sync is not ordered while the data folder %s", async (_what, breaks, code, advice) => {
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

test.each(TROUBLES)(
  "nothing is kept for a hub that is away while the data folder %s",
  async (_what, breaks, code, advice) => {
    const rig = await rigWithPeople();
    await rig.bridge.idle();
    rig.hub.before = ({ method }) => {
      if (method === "sendMessage") throw hubDown();
    };
    const send = () =>
      rig.method("api.messages.send_message", { session_name: "s1", to: ANA, message: "hola" });
    await breaks(nextOf(rig, "outgoing"));
    const refused = await send();
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
    expect(refused.message).toMatchObject({ success: false, code });
    expect(refused.message["error"]).toContain(advice);
    await rm(nextOf(rig, "outgoing"), { recursive: true });
    expect((await send()).message).toMatchObject({ success: true, status: "queued" });
  },
);
