/** What contacts are ordered by: the name people see, lower case, short enough to fit into a cursor. */
import type { ContactChange } from "../../../core/facts.ts";

/** A cursor has 200 characters for this, a row number and its binding; a character may take 4 bytes. */
const LENGTH = 24;
/** Sorts after every letter: who has no name comes last. */
const NAMELESS = "\u{10FFFD}";

export function sortName({
  name,
  verifiedName,
  pushName,
}: Pick<ContactChange, "name" | "verifiedName" | "pushName">): string {
  const shown = name ?? verifiedName ?? pushName ?? "";
  // Characters that JSON writes longer than they are would break the limit; lone surrogates would not come back.
  const plain = Array.from(
    shown
      .toLowerCase()
      .replace(/[\p{Cc}\p{Cs}"\\]/gu, " ")
      .trim(),
  );
  return plain.length === 0 ? NAMELESS : plain.slice(0, LENGTH).join("");
}
