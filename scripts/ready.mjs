/**
 * Makes a fresh clone ready: checks Node, installs packages when they are missing or older than the lock file, and says so.
 * Plain JavaScript, because it runs before anything is installed. `--build` also compiles when a source is newer than dist/.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Inbox Hub needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const root = new URL("..", import.meta.url).pathname;
const stamp = join(root, "node_modules", ".inbox-hub-lock");
const lock = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

function run(command, args, advice) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) {
    console.error(advice);
    process.exit(status ?? 1);
  }
}

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  console.error("Installing packages (npm ci). SQLite may be compiled here, which takes a minute or two …");
  run(
    "npm",
    ["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    "The packages could not be installed. A C++ compiler, make and Python 3 are needed to compile SQLite.",
  );
  writeFileSync(stamp, lock);
}

function newest(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).reduce((latest, entry) => {
    const path = join(folder, entry.name);
    const time = entry.isDirectory() ? newest(path) : statSync(join(root, path)).mtimeMs;
    return Math.max(latest, time);
  }, 0);
}

if (process.argv.includes("--build")) {
  const built = join(root, "dist", ".built");
  if (
    !existsSync(built) ||
    statSync(built).mtimeMs < Math.max(newest("hub"), newest("bridge"), statSync(stamp).mtimeMs)
  ) {
    console.error("Compiling …");
    run(
      "npx",
      ["tsc", "-p", "tsconfig.build.json"],
      "The sources did not compile; `npm run check` says more.",
    );
    writeFileSync(built, "");
  }
}
