/**
 * What a kill leaves behind, at every point at which it could strike: the folder is copied before each thing that changes it
 * (a file made, written, synced, renamed, removed; a statement that writes), as the disk has it at that moment.
 */
import fs, { cpSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";

const PROMISED = ["open", "rename", "rm", "mkdir"] as const;
const AT_ONCE = ["renameSync", "linkSync", "rmSync", "openSync"] as const;
const HANDLE = ["writeFile", "appendFile", "sync", "close"] as const;

type Work = (...args: unknown[]) => unknown;

/** Copies of `folder`, one for each point in `work`, the last one after its end. They are removed with the test. */
export async function atEveryStep(folder: string, work: () => Promise<unknown>): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), "hub-steps-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const copies: string[] = [];
  const original = { cpSync };
  let isBusy = false;
  const step = (): void => {
    if (isBusy) return;
    isBusy = true;
    const copy = join(root, String(copies.length).padStart(4, "0"));
    original.cpSync(folder, copy, { recursive: true });
    copies.push(copy);
    isBusy = false;
  };
  const undo = watch(step);
  try {
    await work();
    step();
  } finally {
    undo();
  }
  return copies;
}

/** Calls `step` before every change; the function that comes back stops that. */
function watch(step: () => void): () => void {
  const undo: (() => void)[] = [];
  const wrap = (owner: object, name: string, wrapped: (before: Work, self: unknown) => Work): void => {
    const before: unknown = Reflect.get(owner, name);
    if (typeof before !== "function") throw new Error(`${name} is no function`);
    Reflect.set(owner, name, function (this: unknown, ...args: unknown[]) {
      return wrapped(before as Work, this)(...args);
    });
    undo.push(() => void Reflect.set(owner, name, before));
  };
  const first =
    (before: Work, self: unknown): Work =>
    (...args) => {
      step();
      return Reflect.apply(before, self, args);
    };
  for (const name of AT_ONCE) wrap(fs, name, first);
  for (const name of PROMISED.filter((each) => each !== "open")) wrap(fs.promises, name, first);
  wrap(fs.promises, "open", (before, self) => async (...args) => {
    step();
    const handle: unknown = await Reflect.apply(before, self, args);
    if (typeof handle !== "object" || handle === null) throw new Error("no handle");
    for (const name of HANDLE) {
      const method = Reflect.get(handle, name) as Work;
      Reflect.set(handle, name, (...rest: unknown[]) => {
        step();
        return Reflect.apply(method, handle, rest);
      });
    }
    return handle;
  });
  wrap(Database.prototype, "backup", first);
  wrap(Database.prototype, "exec", first);
  wrap(Database.prototype, "prepare", (before, self) => (...args) => {
    const statement: unknown = Reflect.apply(before, self, args);
    if (typeof statement !== "object" || statement === null) throw new Error("no statement");
    const run = Reflect.get(statement, "run") as Work;
    Reflect.set(statement, "run", (...rest: unknown[]) => {
      step();
      return Reflect.apply(run, statement, rest);
    });
    return statement;
  });
  syncBuiltinESMExports();
  return () => {
    for (const each of undo.reverse()) each();
    syncBuiltinESMExports();
  };
}
