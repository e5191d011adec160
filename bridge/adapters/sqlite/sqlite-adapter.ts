/** The CRM that comes with the bridge: one SQLite file, nothing else to install. */
import type { CrmAdapter } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { createDocumentReader } from "../embedded/document-reader.ts";
import { createEmbeddedAdapter } from "../embedded/embedded-adapter.ts";
import { momentOf } from "../embedded/moments.ts";
import type { Storage } from "../embedded/storage.ts";
import { migrate, openConnection, type Db } from "./connection.ts";
import { createGroupCommit } from "./group-commit.ts";
import type { HeldChats } from "./held-chats.ts";
import { createSqliteDocuments } from "./sqlite-documents.ts";
import { createSqliteRows } from "./sqlite-rows.ts";
import { inCrmWords } from "./trouble.ts";

export interface SqliteCrmOptions {
  /** Path of the database, or ":memory:". */
  file: string;
  clock: Clock;
}

export function openSqliteAdapter({ file, clock }: SqliteCrmOptions): Promise<CrmAdapter> {
  return told(() => {
    const db = openConnection(file);
    const { rows, held } = createSqliteRows(db);
    const storage = createStorage(db, { clock, held });
    return createEmbeddedAdapter({
      name: "sqlite",
      rows,
      storage,
      documents: createDocumentReader(createSqliteDocuments(db), storage),
      clock,
    });
  });
}

function createStorage(db: Db, { clock, held }: { clock: Clock; held: HeldChats }): Storage {
  const group = createGroupCommit(db, held);
  const prove = db.prepare(
    "INSERT INTO proof(one, at) VALUES(1, ?) ON CONFLICT(one) DO UPDATE SET at = excluded.at",
  );
  return {
    write: group.write,
    read: told,
    check: () =>
      told(() => {
        prove.run(momentOf(clock.now()));
      }),
    prepare: () => told(() => migrate(db)),
    close: async () => {
      await group.stop();
      await told(() => {
        if (!db.open) return;
        db.pragma("wal_checkpoint(TRUNCATE)");
        db.close();
      });
    },
  };
}

/** Runs at once; what SQLite throws comes in the words of the bridge. */
function told<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      resolve(work());
    } catch (cause) {
      reject(inCrmWords(cause));
    }
  });
}
