/** A database that another process may be writing, read from beside: for copies, and to see how far it has got. */
import Database from "better-sqlite3";
import type { Store } from "../../core/store.ts";
import { createMarkStore } from "./figures.ts";
import { readWatermark } from "./restored.ts";
import { createVaultStore } from "./vault.ts";

export interface Reader extends Pick<Store, "watermark" | "copyInto" | "vault"> {
  /** When something was last done. Rejects where the database is older than such marks. */
  mark(name: string): Promise<Date | null>;
  close(): void;
}

/** As many pages as there are: in steps, every write of the other process would make the copy begin again. */
const ALL_PAGES = 0x7f_ff_ff_ff;

/** @throws Error when there is no database, or none that can be read */
export function openReader(file: string): Reader {
  // One that may write would, as the last to close the file of a killed hub, remove the log that the next start looks for.
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 5000 });
  try {
    readWatermark(db);
  } catch (cause) {
    db.close();
    throw cause;
  }
  return {
    vault: createVaultStore({ db }),
    watermark: () => Promise.resolve(readWatermark(db)),
    copyInto: async (target) => {
      await db.backup(target, { progress: () => ALL_PAGES });
    },
    mark: async (name) => createMarkStore({ db }).get(name),
    close: () => void db.close(),
  };
}
