/**
 * Preloaded into a process that ends itself with SIGKILL right before or right after it renames something to a file of this
 * name for the n-th time: RENAME_KILL=<before|after>:<n>:<name>.
 */
import { renameSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";

const [when, nth, name] = (process.env.RENAME_KILL ?? "").split(":");
let left = Number(nth);

const { rename } = promises;
promises.rename = async (from, to) => {
  if (basename(to) !== name || --left > 0) return rename(from, to);
  if (when === "after") renameSync(from, to);
  // SIGKILL to oneself does not return: nothing after this line runs.
  process.kill(process.pid, "SIGKILL");
};
syncBuiltinESMExports();
