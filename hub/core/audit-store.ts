/** The audit log as a part of the store. */
import type { AuditEntry, AuditVerdict, NewAuditEntry } from "./audit.ts";
import type { Page, PageRequest } from "./page.ts";

export interface AuditStore {
  /** The store gives the entry its place in the chain. For acts whose own write does not take the entry along. */
  append(entry: NewAuditEntry): Promise<void>;
  /**
   * An order is about to be carried out; `entry` becomes its row if it never ends, at the next opening of the store. Returns
   * the number to end it with.
   */
  begin(entry: NewAuditEntry): Promise<number>;
  /** How it ended; null when the act's own write took the row along, or when there is none to be. */
  end(begun: number, entry: NewAuditEntry | null): Promise<void>;
  /** Newest first. */
  list(page: PageRequest): Promise<Page<AuditEntry>>;
  /** Finds the first row that was changed, moved or taken out, wherever it was. */
  verify(): Promise<AuditVerdict>;
  /** Removes the oldest entries made before `before`, at most `limit`; the chain stays whole from there. Returns how many. */
  forget(before: Date, limit: number): Promise<number>;
}
