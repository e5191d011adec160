import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "../../bridge/state/folder-lock.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "bridge-lock-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A process that lives until it is ended. */
const sleeper = () =>
  spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"], { stdio: "ignore" });

test("a folder that a living process holds is refused, with what to do", async () => {
  const other = sleeper();
  await writeFile(join(dir, "bridge.lock"), String(other.pid));
  await expect(lockFolder(dir)).rejects.toThrow(/BRIDGE_DATA_DIR/);
  other.kill("SIGKILL");
  await once(other, "exit");
});

test("what a killed process left behind is taken over", async () => {
  const other = sleeper();
  await writeFile(join(dir, "bridge.lock"), String(other.pid));
  other.kill("SIGKILL");
  await once(other, "exit");
  const lock = await lockFolder(dir);
  expect(await readFile(join(dir, "bridge.lock"), "utf8")).toBe(String(process.pid));
  await lock.release();
  await expect(stat(join(dir, "bridge.lock"))).rejects.toThrow("ENOENT");
});

test("a file that names nobody, cut off while it was written, holds nobody off", async () => {
  await writeFile(join(dir, "bridge.lock"), "");
  await (await lockFolder(dir)).release();
});
