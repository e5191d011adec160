/** A look into a data folder before anything in it is opened for writing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { asDamage } from "./sqlite/quick-check.ts";

/** The wrapped data key of a scope; null when there is no database, or none with such a key. */
export function peekDataKey(dataDir: string, scope: string): Uint8Array | null {
  const file = join(dataDir, "hub.db");
  if (!existsSync(file)) return null;
  return asDamage(file, () => {
    const db = new Database(file, { readonly: true, timeout: 5000 });
    try {
      const table = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'data_key'").get();
      if (table === undefined) return null;
      return (
        db.prepare<[string], { wrapped: Buffer }>("SELECT wrapped FROM data_key WHERE scope = ?").get(scope)
          ?.wrapped ?? null
      );
    } finally {
      db.close();
    }
  });
}
