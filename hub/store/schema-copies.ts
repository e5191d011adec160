/**
 * Copies of the database as it was before a step of the schema: the way back to the version before. They hold what is erased or
 * too old by now, so they stay for a week only, and no erasure leaves one behind.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../core/log.ts";

/** Also one that was broken off. */
const COPY = /^hub\.db\.schema-\d+(\.half)?$/;

export interface SchemaCopies {
  /** Those made before; null: all. */
  remove(madeBefore: Date | null): Promise<void>;
}

export function createSchemaCopies({ dataDir, log }: { dataDir: string; log: Log }): SchemaCopies {
  return {
    remove: async (madeBefore) => {
      const copies: string[] = [];
      for (const name of (await readdir(dataDir)).filter((name) => COPY.test(name)).sort()) {
        const file = join(dataDir, name);
        // Null where an erasure took it meanwhile.
        const made = await stat(file).catch(() => null);
        if (made === null || (madeBefore !== null && made.mtime >= madeBefore)) continue;
        await rm(file, { force: true });
        copies.push(name);
      }
      if (copies.length > 0) log.info({ copies }, "store.schema_copies_removed");
    },
  };
}
