/** Rows about the disk itself, and O1: it is full. A small file system of its own needs a mount namespace, so all of it runs in a process that has one. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { FaultRow, RowOptions, RowResult } from "./row.ts";

/** Well above what the hub wants free to call itself ready. */
const SIZE = "192m";
const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const RUN = fileURLToPath(new URL("disk-run.ts", import.meta.url));
/** Mounts on its first argument and becomes the rest. */
const MOUNT = `mount -t tmpfs -o size=${SIZE} tmpfs "$0" && exec "$@"`;

/** A user namespace makes it possible for everybody; where there is none, root needs no more than its own mounts. */
const unshare = (): string[] | undefined =>
  [
    ["unshare", "-Urm"],
    ["unshare", "-m"],
  ].find(
    ([command = "", ...flags]) =>
      spawnSync(command, [...flags, "sh", "-c", MOUNT, tmpdir(), "true"], { stdio: "ignore" }).status === 0,
  );

export const canMountSmallDisk = (): boolean => unshare() !== undefined;

/** Runs a script whose temporary folder is a small disk of its own, which it may mount anew; what it prints is the result. */
export async function onSmallDisk(
  script: string,
  { tries, seed, say = () => undefined }: RowOptions,
): Promise<RowResult> {
  const [command, ...flags] = unshare() ?? [];
  if (command === undefined)
    throw new Error("a disk of its own needs Linux and unshare(1), with user namespaces or as root");
  const folder = mkdtempSync(join(tmpdir(), "inbox-hub-disk-"));
  try {
    const node = [process.execPath, "--import", TSX, script, String(tries), seed];
    const child = spawn(command, [...flags, "sh", "-c", MOUNT, folder, ...node], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => say(chunk.toString("utf8").trimEnd()));
    const [status] = (await once(child, "close")) as [number | null];
    if (status !== 0) throw new Error(`the run on the small disk ended with ${status}: ${output}`);
    return JSON.parse(output) as RowResult; // these scripts print nothing else
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const DISK_ROW: FaultRow = {
  id: "O1",
  title: "the disk is full while messages arrive",
  tries: 1,
  manyTries: 5,
  run: (options) => onSmallDisk(RUN, options),
};
