/** This machine: Node, the settings, the data folder, its disk and its database. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, readConfig, type Config } from "../../../hub/config.ts";
import { FolderInUse, holdLock } from "../../../hub/store/sqlite/lock.ts";
import { checkFile } from "../../../hub/store/sqlite/quick-check.ts";
import { bytes } from "../show.ts";
import { codeOf, fine, problem, skipped, type Check } from "./check.ts";

const OLDEST_NODE = [20, 19] as const;
/** With less the hub still runs; a backup or a busy day may already not fit. */
const ROOM_BYTES = 1024 ** 3;

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return isEnough
    ? fine("Node.js", version)
    : problem("Node.js", version, `Install Node.js ${OLDEST_NODE.join(".")} or newer.`);
}

/** The settings as the hub reads them; null when it would not start with them. */
export function checkSettings(env: Record<string, string | undefined>): {
  check: Check;
  config: Config | null;
} {
  try {
    const config = readConfig(env);
    return { check: fine("settings", ".env and the environment are complete"), config };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      check: problem(
        "settings",
        error.message.replaceAll("\n", " "),
        "Correct them in .env; .env.example explains each.",
      ),
      config: null,
    };
  }
}

export function checkFolder(dataDir: string): Check {
  const what = "data folder";
  if (!existsSync(dataDir))
    return problem(what, `${dataDir} is not there`, "Start the hub once, or correct HUB_DATA_DIR.");
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    return problem(
      what,
      `${dataDir}: ${codeOf(error)}`,
      `Give it to the user of the hub: chown -R USER ${dataDir}`,
    );
  }
  const open = [dataDir, join(dataDir, "hub.db")].filter(
    (path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0,
  );
  return open.length === 0
    ? fine(what, `${dataDir}, for its own user alone`)
    : problem(what, `others on this machine can read ${open.join(", ")}`, `chmod -R go= ${dataDir}`);
}

export async function checkDisk(dataDir: string): Promise<Check> {
  if (!existsSync(dataDir)) return skipped("disk", "there is no data folder");
  const { bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  return free >= ROOM_BYTES
    ? fine("disk", `${bytes(free)} free`)
    : problem(
        "disk",
        `only ${bytes(free)} free`,
        "Make room: the hub stops taking messages when it cannot write.",
      );
}

/** The whole database is read, which only a stopped hub allows; a running one proves at /readyz that it can write. */
export function checkStore(dataDir: string): { check: Check; isRunning: boolean } {
  const what = "database";
  const file = join(dataDir, "hub.db");
  if (!existsSync(file)) return { check: skipped(what, "there is none yet"), isRunning: false };
  let lock;
  try {
    lock = holdLock(join(dataDir, "hub.lock.db"));
  } catch (error) {
    if (error instanceof FolderInUse)
      return {
        check: skipped(what, "in use by the running hub; /readyz tells below whether it can write"),
        isRunning: true,
      };
    return {
      check: problem(what, codeOf(error), "Look at the rights and the disk above."),
      isRunning: false,
    };
  }
  try {
    checkFile(file, { largest: Infinity });
    return { check: fine(what, `${bytes(statSync(file).size)}, without damage`), isRunning: false };
  } catch (error) {
    return {
      check: problem(
        what,
        codeOf(error),
        "Keep a copy of the data folder, then restore a backup (docs/operate.md).",
      ),
      isRunning: false,
    };
  } finally {
    lock.release();
  }
}
