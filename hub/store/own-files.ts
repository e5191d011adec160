/**
 * Whether the hub may use the files that are its own. Mostly they became somebody else's because a command was run as another
 * user; that is said at the start, of all of them at once, before one is opened, changed or taken for damaged.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { WATERMARK_FILE } from "./watermark.ts";

const { R_OK, W_OK, X_OK } = constants;
const MASTER_KEY = ["master.key", "master.key.next"];
const TO_WRITE = ["hub.db", "hub.db-wal", "hub.db-shm", "hub.lock.db", "hub.open", WATERMARK_FILE];
const FOLDERS = ["media", "vault", "backups"];

/**
 * `isKeyHere`: the master key lies in the folder, and not elsewhere.
 * @throws Error in plain words; of a folder that is still to be made nothing is wrong
 */
export function assertOwnFiles(dataDir: string, { isKeyHere }: { isKeyHere: boolean }): void {
  if (!existsSync(dataDir)) return;
  const code = refusal(dataDir, R_OK | W_OK | X_OK);
  if (code !== null) throw unusableFolder(dataDir, code);
  const barred = [
    ...(isKeyHere ? MASTER_KEY : []).filter((name) => isBarred(join(dataDir, name), R_OK)),
    ...TO_WRITE.filter((name) => isBarred(join(dataDir, name), R_OK | W_OK)),
    ...FOLDERS.filter((name) => isBarred(join(dataDir, name), R_OK | W_OK | X_OK)),
  ];
  if (barred.length === 0) return;
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  const order = uid === undefined ? "" : `: chown -R ${uid}:${String(gid)} ${dataDir}`;
  throw new Error(
    `The hub's own user may not use these of its files in ${dataDir}: ${barred.join(", ")}. Nothing was changed. ` +
      `If a command was run as another user, give them back to the hub's${order}`,
  );
}

export const unusableFolder = (dataDir: string, code: string, cause?: unknown): Error =>
  new Error(
    `The data folder ${dataDir} cannot be used (${code}). The hub needs a folder that its own user may ` +
      "write to, on a disk that is not read-only.",
    { cause },
  );

const isBarred = (file: string, mode: number): boolean => existsSync(file) && refusal(file, mode) !== null;

/** The system's code, null where nothing is refused. */
function refusal(file: string, mode: number): string | null {
  try {
    accessSync(file, mode);
    return null;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause) return String(cause.code);
    throw cause;
  }
}
