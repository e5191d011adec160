/** The SQLite engine keeps the promises of the store, in memory and in a file. */
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { describeStore } from "./store.ts";

describeStore(
  "sqlite :memory:",
  async ({ clock, publicUrl }) => ({
    store: await openSqliteStore({ file: ":memory:", publicUrl, clock }),
    afterKill: null,
  }),
  { survives: false },
);

const root = mkdtempSync(join(tmpdir(), "hub-store-"));
afterAll(() => {
  rmSync(root, { recursive: true });
});
let files = 0;

describeStore(
  "a sqlite file",
  async ({ clock, publicUrl }) => {
    const file = join(root, `${++files}.db`);
    return {
      store: await openSqliteStore({ file, publicUrl, clock }),
      // What the disk holds at this moment, with nothing flushed or closed: a killed process leaves no more.
      afterKill: () => {
        const copy = join(root, `${++files}.db`);
        for (const suffix of ["", "-wal"])
          if (existsSync(file + suffix)) cpSync(file + suffix, copy + suffix);
        return openSqliteStore({ file: copy, publicUrl, clock });
      },
    };
  },
  { survives: true },
);
