/** Reactions of a message: the site shows the latest that stands, the bridge remembers one per person. Pure. */
import type { Position } from "../../adapter.ts";
import type { Message } from "../../records.ts";
import { flag, nameOrNull, type Fields } from "./field-values.ts";
import type { HubState } from "./hub-state.ts";

type Reactions = NonNullable<HubState["reactions"]>;
type Reaction = Reactions[number];

const isLater = (told: Reaction, held: Reaction): boolean =>
  held.position !== null && told.position !== null ? told.position >= held.position : told.at >= held.at;

/**
 * One person's reaction set, changed or taken back; null when that is known. One that is taken back before it was ever told,
 * or told again, is remembered: what was told before that must not pass for news.
 */
export function withReaction(kept: Reactions, told: Reaction): Reactions | null {
  const before = kept.find(({ from }) => from === told.from);
  if (before === undefined) return [...kept, told];
  if (!isLater(told, before)) return null;
  const isSame = before.emoji === told.emoji;
  const position = isSame ? laterPosition(before.position, told.position) : told.position;
  if (isSame && before.at === told.at && before.position === position) return null;
  return [...kept.filter((reaction) => reaction !== before), { ...told, position }];
}

const laterPosition = (held: Position, told: Position): Position =>
  held === null || (told !== null && told > held) ? told : held;

/** Those of either copy of one message, the later one of each person; null when the second copy adds nothing. */
export function withReactionsOf(
  kept: Reactions,
  copied: Reactions,
  resolve: (id: string) => string,
): Reactions | null {
  const before = byPerson(kept, resolve);
  const after = copied.reduce<Reactions>(
    (all, reaction) => withReaction(all, { ...reaction, from: resolve(reaction.from) }) ?? all,
    before,
  );
  return after === before ? null : inOrder(after);
}

/** Under the ids by which the people are kept now: of two of one person the later one. */
export function byPerson(kept: Reactions, resolve: (id: string) => string): Reactions {
  const people = new Map<string, Reaction>();
  for (const reaction of kept) {
    const from = resolve(reaction.from);
    const before = people.get(from);
    if (before === undefined || isLater(reaction, before)) people.set(from, { ...reaction, from });
  }
  return [...people.values()];
}

const inOrder = (reactions: Reactions): Reactions =>
  reactions.toSorted((a, b) => a.at - b.at || (a.from < b.from ? -1 : 1));

/** All of them, as the whole message tells them; single ones told later than it stay. */
export function withAllReactions(
  kept: Reactions,
  listed: Message["reactions"],
  position: Position,
): Reactions {
  const later = kept.filter((one) => one.position !== null && (position === null || one.position > position));
  const told = new Map(
    listed.map(({ from, emoji, timestamp }) => [from, { from, emoji, at: timestamp, position: null }]),
  );
  for (const { from } of later) told.delete(from);
  // What agrees stays as it was told, or every reading of the message would count as a change.
  const agreeing = kept.filter(
    (one) => !later.includes(one) && (told.get(one.from)?.emoji ?? "") === one.emoji,
  );
  for (const { from } of agreeing) told.delete(from);
  return inOrder([...later, ...agreeing, ...told.values()]);
}

export function reactionFields(reactions: Reactions): Fields {
  const latest = reactions
    .filter(({ emoji }) => emoji !== "")
    .reduce<Reaction | null>((best, one) => (best === null || one.at >= best.at ? one : best), null);
  return { has_reaction: flag(latest !== null), reaction: nameOrNull(latest?.emoji ?? null) };
}
