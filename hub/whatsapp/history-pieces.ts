/**
 * The facts of a chunk of history in pieces, each of which is stored in one transaction. A message and its reactions stay
 * together: the store tells a reaction as news unless its message came with it.
 */
import type { Fact } from "../core/facts.ts";
import type { Jid } from "../core/jid.ts";

/** Each piece has `size` facts, and what belongs to the last of them. */
export function piecesOf(facts: Fact[], size: number): Fact[][] {
  const pieces: Fact[][] = [];
  for (const together of unitsOf(facts)) {
    const last = pieces.at(-1);
    if (last === undefined || last.length >= size) pieces.push(together);
    else last.push(...together);
  }
  return pieces;
}

/** Messages with their reactions, wherever the chunk has those; all else alone. */
function unitsOf(facts: Fact[]): Fact[][] {
  const units: Fact[][] = [];
  const ofMessage = new Map<string, Fact[]>();
  for (const fact of facts) {
    const target = fact.kind === "reaction" ? ofMessage.get(placeOf(fact.target)) : undefined;
    if (target !== undefined) {
      target.push(fact);
      continue;
    }
    const unit = [fact];
    units.push(unit);
    if (fact.kind === "message") ofMessage.set(placeOf(fact.message), unit);
  }
  return units;
}

const placeOf = ({ chatId, id }: { chatId: Jid; id: string }): string => `${chatId} ${id}`;
