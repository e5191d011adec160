/**
 * Reactions of a message: one per person. Each remembers when it was told, and one that was taken back stays as an empty
 * one, so that an older list of the message's reactions does not undo what was told after it.
 */
import { z } from "zod";
import type { Position } from "../../adapter.ts";
import type { Message, MessageChange } from "../../records.ts";
import { laterOf, mayOverwrite } from "./positions.ts";
import type { MessageRow } from "./doctypes.ts";
import { isHiddenId } from "./people.ts";

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
  return onePerPerson(reactions.map((reaction) => ({ ...reaction, from: resolve(reaction.from) })));
}

/** Two that were kept under two ids of one person are one: the later. */
function onePerPerson(reactions: Reaction[]): Reaction[] {
  const people = new Map<string, Reaction>();
  for (const reaction of reactions) {
    const before = people.get(reaction.from);
    if (before === undefined || toldLater(before, reaction)) people.set(reaction.from, reaction);
  }
  return [...people.values()];
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

/**
 * One person's reaction set, changed or taken back; null when that is known. One is taken back before it was ever told, or
 * told again: there is nothing to see then, but what was told before that must not pass for news.
 */
export function reactionChange(
  held: string | null,
  { from, emoji, at }: MessageChange & { kind: "reaction" },
  position: Position,
  resolve: Resolve,
): ReactionFields | null {
  const told: Reaction = { from: resolve(from), emoji, at, position };
  const all = heldOf(held, resolve);
  const before = all.find((reaction) => reaction.from === told.from);
  if (before === undefined) return fieldsOf([...all, told]);
  if (!toldLater(before, told)) return null;
  told.position = before.emoji === emoji ? laterOf(before.position, position) : position;
  if (before.emoji === emoji && before.at === at && before.position === told.position) return null;
  return fieldsOf([...all.filter((reaction) => reaction !== before), told]);
}

/** Few: whoever has a number is kept under it. */
export const hiddenReactorsOf = (held: string): string[] =>
  held.includes('lid"') ? heldOf(held, (id) => id).flatMap(({ from }) => (isHiddenId(from) ? from : [])) : [];

/** The same reactions under the ids by which people are kept now. */
export const resolvedReactions = (held: string | null, resolve: Resolve): ReactionFields =>
  fieldsOf(heldOf(held, resolve));

/** Those of either copy of one message, the later one of each person. */
export function joinedReactions(
  held: string | null,
  copied: string | null,
  resolve: Resolve,
): ReactionFields {
  return fieldsOf(onePerPerson([...heldOf(held, resolve), ...heldOf(copied, resolve)]));
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
