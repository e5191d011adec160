/** Port to how an engine runs the rules: each piece of work all or nothing, and failures in the CRM's words. */
import type { WriteResult } from "../../adapter.ts";

export interface Storage {
  /**
   * Runs each piece by itself and resolves when all are kept. A piece that throws leaves nothing behind and counts as
   * rejected; the others go on.
   * @throws CrmUnavailable when nothing can be kept now
   */
  write(pieces: (() => WriteResult)[]): Promise<WriteResult[]>;
  read<T>(work: () => T): Promise<T>;
  /** Proves that a write can be kept. */
  check(): Promise<void>;
  prepare(): Promise<void>;
  close(): Promise<void>;
}

/** What a piece of work that threw comes to. */
export const rejectedBy = (cause: unknown): WriteResult => ({
  outcome: "rejected",
  error: cause instanceof Error ? cause.message : "The record cannot be written.",
});

export async function writeOne(
  { write }: Pick<Storage, "write">,
  work: () => WriteResult,
): Promise<WriteResult> {
  const [result] = await write([work]);
  if (result === undefined) throw new Error("a write gave no result");
  return result;
}
