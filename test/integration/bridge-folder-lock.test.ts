/** One bridge per data folder, whatever the bridge before left behind and whoever else starts at the same moment. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockFolder } from "../../bridge/state/folder-lock.ts";

let dir = "";
let place = "";
let children: ChildProcess[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "bridge-lock-"));
  place = join(dir, "bridge.lock");
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  children = [];
  await rm(dir, { recursive: true, force: true });
});

/** A process that lives until it is ended. */
function sleeper(): ChildProcess {
  const script = "setInterval(() => undefined, 1000)";
  const child = spawn(process.execPath, ["-e", script], { stdio: "ignore" });
  children.push(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** A process that takes each folder it is told of, says whether it got it, and holds it until it hears of the next one. */
async function locker() {
  const source = new URL("../../bridge/state/folder-lock.ts", import.meta.url).href;
  const script = `
    import { lockFolder } from ${JSON.stringify(source)};
    let lock = null;
    process.on("message", async (dir) => {
      await lock?.release();
      lock = null;
      try {
        lock = await lockFolder(dir);
        process.send("taken");
      } catch (error) {
        process.send(error.message);
      }
    });
    process.send("ready");`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  children.push(child);
  const says = async (): Promise<string> => {
    const said: unknown[] = await once(child, "message");
    return String(said[0]);
  };
  await says();
  const take = (folder: string): Promise<string> => {
    const word = says();
    child.send(folder);
    return word;
  };
  return { child, take };
}

/** What a bridge that held the folder and was killed left there, and its number. */
async function killedHolder(): Promise<{ left: string; pid: number }> {
  const { child, take } = await locker();
  expect(await take(dir)).toBe("taken");
  await kill(child);
  const [left = ""] = await readdir(place);
  return { left, pid: child.pid ?? 0 };
}

const BOOT = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/;

describe("a folder is refused", () => {
  test("while a living bridge holds it, with what to do, and is free once that was killed", async () => {
    const { child, take } = await locker();
    expect(await take(dir)).toBe("taken");
    await expect(lockFolder(dir)).rejects.toThrow(
      new RegExp(`process ${child.pid}\\) runs.*BRIDGE_DATA_DIR.*bridge\\.lock`),
    );
    await kill(child);
    const lock = await lockFolder(dir);
    expect(await readdir(place)).toHaveLength(1);
    await lock.release();
    expect(await readdir(dir)).toEqual([]);
  });

  test("while the process that an earlier version names lives", async () => {
    const other = sleeper();
    await writeFile(place, String(other.pid));
    await expect(lockFolder(dir)).rejects.toThrow(/BRIDGE_DATA_DIR/);
    await kill(other);
    await (await lockFolder(dir)).release();
    expect(await readdir(dir)).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("a folder whose owner was killed is taken over", () => {
  test("although its number is another program's now", async () => {
    const { left, pid } = await killedHolder();
    const other = sleeper();
    await rename(join(place, left), join(place, left.replace(String(pid), String(other.pid))));
    await (await lockFolder(dir)).release();
  });

  test("although, after the machine was started anew, a program has its number and began at the same moment", async () => {
    const { child, take } = await locker();
    await take(dir);
    const [left = ""] = await readdir(place);
    await rename(join(place, left), join(place, left.replace(BOOT, randomUUID())));
    await (await lockFolder(dir)).release();
    expect(child.exitCode).toBeNull();
  });
});

test("what names nobody, cut off while it was written or emptied by a power loss, holds nobody off", async () => {
  await writeFile(place, "");
  await (await lockFolder(dir)).release();
  await mkdir(place);
  await (await lockFolder(dir)).release();
  await mkdir(place);
  await writeFile(join(place, "note"), "somebody's");
  await (await lockFolder(dir)).release();
});

test("who lets go of a folder that somebody else has by now leaves it to them", async () => {
  const lock = await lockFolder(dir);
  await rm(place, { recursive: true });
  const { take } = await locker();
  expect(await take(dir)).toBe("taken");
  await lock.release();
  await expect(lockFolder(dir)).rejects.toThrow(/runs on this data folder/);
});

test.each([
  ["an earlier version", (pid: number, folder: string) => writeFile(folder, String(pid))],
  [
    "this version",
    async (pid: number, folder: string) => {
      await mkdir(folder);
      await writeFile(join(folder, `${pid}_${randomUUID()}.1_00000000`), "");
    },
  ],
])(
  "of bridges that start at the same moment over what %s left, one gets the folder",
  async (_what, leaves) => {
    const dead = sleeper();
    await kill(dead);
    const lockers = await Promise.all([locker(), locker(), locker()]);
    for (let round = 0; round < 30; round += 1) {
      const folder = join(dir, String(round));
      await mkdir(folder);
      await leaves(dead.pid ?? 0, join(folder, "bridge.lock"));
      const words = await Promise.all(lockers.map(({ take }) => take(folder)));
      expect(
        words.filter((word) => word === "taken"),
        `round ${round}: ${words.join(", ")}`,
      ).toHaveLength(1);
      for (const word of words) expect(word).toMatch(/^taken$|^Another bridge /);
    }
  },
);
