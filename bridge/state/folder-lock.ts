/**
 * One bridge per data folder: two would write over each other's memory. Who has it is a file in the folder `bridge.lock`, named
 * like nobody else's. It comes there with that folder, by a move that succeeds only where none is or an empty one; and who takes
 * over removes the dead owner's file by its name. So of several that start at once one gets it, and none removes another's.
 */
import { mkdtemp, readFile, readdir, rename, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BridgeStartError } from "../errors.ts";
import { lives, newMark, pidIn } from "./process-mark.ts";

export interface FolderLock {
  release(): Promise<void>;
}

/** What the disk says when somebody was quicker: a folder that is not empty, or that was a file, or the other way about. */
const TAKEN = ["ENOTEMPTY", "EEXIST", "EISDIR", "ENOTDIR"];

/** @throws BridgeStartError when another bridge runs on this folder */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const place = join(dir, "bridge.lock");
  try {
    await clearOfTheDead(place);
    const mark = await moveIn(place);
    return { release: () => moveOut(place, mark) };
  } catch (cause) {
    if (!hasCode(cause, TAKEN)) throw cause;
    throw new BridgeStartError("Another bridge has just started on this data folder.", { cause });
  }
}

async function clearOfTheDead(place: string): Promise<void> {
  for (const { mark, file } of await ownersOf(place)) {
    const pid = pidIn(mark);
    // Our own number: a restart in a container gives the same one again.
    if (pid !== process.pid && (await lives(mark)))
      throw new BridgeStartError(
        `Another bridge (process ${pid}) runs on this data folder. Stop it first, or choose another BRIDGE_DATA_DIR. ` +
          `If that process is something else, delete ${place}.`,
      );
    // Not `rm`: it would empty a folder that took the file's place meanwhile.
    await unlessGone(unlink(file));
  }
}

/** An earlier version left a file with a number in place of the folder. */
async function ownersOf(place: string): Promise<{ mark: string; file: string }[]> {
  try {
    const marks = (await unlessGone(readdir(place))) ?? [];
    return marks.map((mark) => ({ mark, file: join(place, mark) }));
  } catch (cause) {
    if (!hasCode(cause, ["ENOTDIR"])) throw cause;
    const mark = await unlessGone(readFile(place, "utf8"));
    return mark === null ? [] : [{ mark, file: place }];
  }
}

async function moveIn(place: string): Promise<string> {
  const mark = await newMark();
  const fresh = await mkdtemp(`${place}-`);
  try {
    await writeFile(join(fresh, mark), "", { mode: 0o600 });
    await rename(fresh, place);
    return mark;
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true });
    throw cause;
  }
}

async function moveOut(place: string, mark: string): Promise<void> {
  try {
    await unlessGone(unlink(join(place, mark)));
    await unlessGone(rmdir(place));
  } catch (cause) {
    // Somebody else has moved in by now.
    if (!hasCode(cause, TAKEN)) throw cause;
  }
}

const unlessGone = <T>(work: Promise<T>): Promise<T | null> =>
  work.catch((cause: unknown) => {
    if (hasCode(cause, ["ENOENT"])) return null;
    throw cause;
  });

const hasCode = (cause: unknown, codes: string[]): boolean =>
  cause instanceof Error && "code" in cause && codes.some((code) => code === cause.code);
