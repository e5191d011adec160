/**
 * Reactions of a message: one per person. Each remembers when it was told, and one that was taken back stays as an empty
 * one, so that an older list of the message's reactions does not undo what was told after it.
 */
import { z } from "zod";
import type { Position } from "../../adapter.ts";
import type { Message, MessageChange } from "../../records.ts";
import { mayOverwrite } from "./positions.ts";
import type { MessageRow } from "./doctypes.ts";

const reactionSchema = z.object({
  from: z.string(),
  emoji: z.string(),
  at: z.number(),
  position: z.number().nullable(),
});
type Reaction = z.infer<typeof reactionSchema>;
type Resolve = (id: string) => string;
type ReactionFields = Pick<MessageRow, "reactions" | "reaction" | "has_reaction">;

function heldOf(text: string | null, resolve: Resolve): Reaction[] {
  if (text === null) return [];
  const reactions = z.array(reactionSchema).parse(JSON.parse(text));
  return reactions.map((reaction) => ({ ...reaction, from: resolve(reaction.from) }));
}

/** In one order, so that equal reactions are equal text. */
function fieldsOf(reactions: Reaction[]): ReactionFields {
  const sorted = reactions.toSorted((a, b) => a.at - b.at || (a.from < b.from ? -1 : 1));
  const shown = sorted.findLast(({ emoji }) => emoji !== "");
  return {
    reactions: sorted.length === 0 ? null : JSON.stringify(sorted),
    reaction: shown?.emoji ?? null,
    has_reaction: shown === undefined ? 0 : 1,
  };
}

const toldLater = (held: Reaction, told: Reaction): boolean =>
  held.position !== null && told.position !== null ? told.position >= held.position : told.at >= held.at;

/** One person's reaction set, changed or taken back; null when that changes nothing. */
export function reactionChange(
  held: string | null,
  { from, emoji, at }: MessageChange & { kind: "reaction" },
  position: Position,
  resolve: Resolve,
): ReactionFields | null {
  const told: Reaction = { from: resolve(from), emoji, at, position };
  const all = heldOf(held, resolve);
  const before = all.find((reaction) => reaction.from === told.from);
  if (before === undefined ? emoji === "" : before.emoji === emoji || !toldLater(before, told)) return null;
  return fieldsOf([...all.filter((reaction) => reaction !== before), told]);
}

/** Those of either copy of one message, the later one of each person. */
export function joinedReactions(
  held: string | null,
  copied: string | null,
  resolve: Resolve,
): ReactionFields {
  const all = heldOf(held, resolve);
  for (const told of heldOf(copied, resolve)) {
    const at = all.findIndex((reaction) => reaction.from === told.from);
    const before = all[at];
    if (before === undefined) all.push(told);
    else if (toldLater(before, told)) all[at] = told;
  }
  return fieldsOf(all);
}

/** All reactions of the message as a whole record tells them; what was told about single ones later than it stays. */
export function reactionsOf(
  held: string | null,
  listed: Message["reactions"],
  position: Position,
  resolve: Resolve,
): ReactionFields {
  const all = heldOf(held, resolve);
  const later = all.filter((reaction) => !mayOverwrite(reaction.position, position));
  const told = new Map<string, Reaction>();
  for (const { from, emoji, timestamp } of listed) {
    const reaction = { from: resolve(from), emoji, at: timestamp, position: null };
    if (!later.some((other) => other.from === reaction.from)) told.set(reaction.from, reaction);
  }
  // What agrees with the list is kept as it was told, or every reading of the list would count as a change.
  const agreeing = all.filter(
    (reaction) => !later.includes(reaction) && (told.get(reaction.from)?.emoji ?? "") === reaction.emoji,
  );
  for (const { from } of agreeing) told.delete(from);
  return fieldsOf([...later, ...agreeing, ...told.values()]);
}
