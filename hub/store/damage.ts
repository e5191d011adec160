/**
 * Whether the database may be built upon. A small one is looked over before anything else; for a large one that would keep the
 * hub from its work, so it is done beside: accounts are connected by then, and write. What is found then is written down, and the
 * process ends as if killed, which closes all sockets unacknowledged and leaves the file as it is; the next start refuses as it
 * would have, and names the backups.
 */
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { syncFolder, writeDurably } from "../core/durable-file.ts";
import type { Log } from "../core/log.ts";
import { checkBeside } from "./sqlite/check-beside.ts";
import { migrations } from "./sqlite/migrations/index.ts";
import { checkFile, damaged, schemaOf } from "./sqlite/quick-check.ts";

const NOTE = "hub.damaged";

export interface Looking {
  /** The look was broken off when this resolves. */
  stop(): Promise<void>;
}

/**
 * Returns whether a look beside is still owed. `mayBeLater` is the size from which on it may be; where it is null, what is
 * very large is not looked over at all. @throws Error in plain words
 */
export async function lookFirst(dataDir: string, file: string, mayBeLater: number | null): Promise<boolean> {
  const note = join(dataDir, NOTE);
  if (existsSync(note)) {
    // However long it takes: somebody may have put a backup in its place since.
    checkFile(file, { largest: Infinity });
    rmSync(note);
    await syncFolder(dataDir);
    return false;
  }
  if (mayBeLater !== null && existsSync(file) && statSync(file).size > mayBeLater) {
    // A step of the schema goes over everything, and copies it before: that takes longer than to look.
    if (schemaOf(file) === migrations.length) return true;
    checkFile(file, { largest: Infinity });
    return false;
  }
  checkFile(file);
  return false;
}

/** `onDamaged` is called once the damage is noted. */
export function lookBeside({
  dataDir,
  file,
  onDamaged,
  log,
}: {
  dataDir: string;
  file: string;
  onDamaged: (cause: Error) => void;
  log: Log;
}): Looking {
  const since = performance.now();
  const check = checkBeside(file);
  let isStopped = false;
  const look = async (): Promise<void> => {
    const what = await check.answer;
    const ms = Math.round(performance.now() - since);
    if (what === null) {
      log.info({ ms }, "store.checked");
      return;
    }
    const cause = damaged(file, what, { isChanged: true });
    log.error({ ms, err: cause }, "store.damaged");
    // A disk that does not take the note changes nothing about the damage.
    await writeDurably(join(dataDir, NOTE), `${what}\n`).catch((err: unknown) =>
      log.warn({ err }, "store.damage_not_noted"),
    );
    onDamaged(cause);
  };
  const looking = look().catch((err: unknown) => {
    if (!isStopped) log.warn({ err }, "store.not_checked");
  });
  return {
    stop: async () => {
      isStopped = true;
      await check.stop();
      await looking;
    },
  };
}
