/** One hub per data folder: a lock the system takes back at once when the process dies, however it dies. */
import Database from "better-sqlite3";

export interface Lock {
  release(): void;
}

/** Somebody else works on the folder. */
export class FolderInUse extends Error {}

export function holdLock(file: string, whatIfHeld = anotherHub(file)): Lock {
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    db.close();
    if (cause instanceof Database.SqliteError && cause.code.startsWith("SQLITE_BUSY"))
      throw new FolderInUse(whatIfHeld, { cause });
    throw cause;
  }
  return {
    release: () => {
      db.close();
    },
  };
}

const anotherHub = (file: string): string =>
  `Another Inbox Hub is running on this data folder (${file} is locked). Stop it first, or choose another HUB_DATA_DIR.`;
