/** A CRM in memory: for tests, and for trying the bridge with nothing to clean up afterwards. */
import type { CrmAdapter } from "../../adapter.ts";
import type { Clock } from "../../clock.ts";
import { createDocumentReader } from "../embedded/document-reader.ts";
import { DOCTYPES, type DocType, type Row } from "../embedded/doctypes.ts";
import { createEmbeddedAdapter } from "../embedded/embedded-adapter.ts";
import { rejectedBy, type Storage } from "../embedded/storage.ts";
import { createMemoryDocuments } from "./memory-documents.ts";
import { createMemoryRows, createMemoryTables } from "./memory-rows.ts";

export interface MemoryCrm extends CrmAdapter {
  /** A person changes a record by hand. */
  edit(doctype: string, name: string, fields: Row): void;
}

export function createMemoryAdapter({ clock }: { clock: Clock }): MemoryCrm {
  const tables = createMemoryTables();
  const of = (wanted: Pick<DocType, "doctype">) => {
    const all = [
      tables.sessions,
      tables.contacts,
      tables.conversations,
      tables.messages,
      tables.media,
      tables.clients,
    ];
    const table = all[DOCTYPES.findIndex(({ doctype }) => doctype === wanted.doctype)];
    if (table === undefined) throw new Error(`no document type ${wanted.doctype}`);
    return table;
  };
  const adapter = createEmbeddedAdapter({
    name: "memory",
    rows: createMemoryRows(tables),
    storage,
    documents: createDocumentReader(
      createMemoryDocuments((type) => of(type).all()),
      storage,
    ),
    clock,
  });
  return { ...adapter, edit: (doctype, name, fields) => of({ doctype }).update(name, fields) };
}

const done = (): Promise<void> => Promise.resolve();

/** The rules refuse a record before they write anything of it, so there is nothing to take back. */
const storage: Storage = {
  write: (pieces) =>
    Promise.resolve(
      pieces.map((piece) => {
        try {
          return piece();
        } catch (cause) {
          return rejectedBy(cause);
        }
      }),
    ),
  read: (work) => new Promise((resolve) => resolve(work())),
  check: done,
  prepare: done,
  close: done,
};
