/** Contacts with their hidden ids: one that names a hidden id under which the site still has records takes them over. */
import type { Batch, Position, WriteResult } from "../../adapter.ts";
import { chatLane, runInAll } from "../../lanes.ts";
import type { Contact } from "../../records.ts";
import { isHidden, lidMark, type Aliases } from "./aliases.ts";
import type { Authors } from "./author-links.ts";
import type { Contacts } from "./contacts.ts";
import type { Leftovers } from "./leftovers.ts";
import type { Merge, Merges } from "./merge.ts";
import { MESSAGE, type Site } from "./site.ts";

export interface People {
  upsert(batch: Batch<Contact>): Promise<WriteResult[]>;
  /** Told too late it changes nothing: the hidden id may be somebody else's by now. */
  merge(order: Merge): Promise<WriteResult>;
}

/** A write that may be done twice. */
type Surely = <R extends WriteResult | WriteResult[]>(work: () => Promise<R>) => Promise<R>;

export function createPeople(
  { lanes, writes, hiddenReactions }: Pick<Site, "lanes" | "writes" | "hiddenReactions">,
  {
    contacts,
    authors,
    merges,
    leftovers,
    aliases,
    surely,
  }: {
    contacts: Contacts;
    authors: Authors;
    merges: Merges;
    leftovers: Leftovers;
    aliases: Aliases;
    surely: Surely;
  },
): People {
  /** A contact that is looked for under a hidden id, and made there, must not do so in the middle of a merge. */
  const inLane = <T>(sessionId: string, work: () => Promise<T>): Promise<T> =>
    lanes.run(`${sessionId}|contacts`, work);

  const mergeAll = async (order: Merge): Promise<WriteResult> => {
    const { sessionId, from, into } = order;
    const both = [from, into].map((chatId) => chatLane(sessionId, chatId));
    // First, while contact or chat still say that there is something to do.
    const joined = await surely(() => leftovers.join(order));
    if (joined.outcome === "rejected" || joined.outcome === "missing") return joined;
    const moved = await runInAll(lanes, both, () => surely(() => merges.apply(order)));
    if (moved.outcome === "rejected") return moved;
    // Until now a group's message was still written under the hidden id.
    const isLeft = authors.isLacking(from) || hiddenReactions.of(lidMark(sessionId, from)).length > 0;
    const again = isLeft ? await surely(() => leftovers.join(order)) : joined;
    if (again.outcome === "rejected") return again;
    // What a slow site did not tell is looked for when the merge is told again.
    if (joined.isWhole !== false && again.isWhole !== false) aliases.merged(sessionId, from, into);
    return moved.outcome === "unchanged" ? { outcome: joined.outcome } : moved;
  };

  const merge = async (order: Merge): Promise<WriteResult> => {
    const { sessionId, from, into } = order;
    if (from === into || !(await aliases.isTimely(order)) || aliases.isMerged(sessionId, from, into))
      return { outcome: "unchanged" };
    const key = ["merge", sessionId, from, into].join("|");
    return writes.orBlamed(MESSAGE, key, () => mergeAll(order));
  };

  /**
   * The event that told whose hidden id a contact is may have been missed: those that still have records move now. Comes
   * back with those that moved, and those that the site did not let move.
   */
  const mergeNamed = async (
    sessionId: string,
    told: Contact[],
    position: Position,
  ): Promise<{ moved: Set<string>; stuck: Set<string> }> => {
    const named = told.flatMap(({ id, lid }) =>
      lid === null || lid === id || !isHidden(lid) || aliases.isSettled(sessionId, lid, id)
        ? []
        : [{ sessionId, from: lid, into: id, position }],
    );
    const known = await merges.known(
      sessionId,
      named.map(({ from }) => from),
    );
    const [moved, stuck] = [new Set<string>(), new Set<string>()];
    for (const order of named) {
      if (!known.has(order.from) && !authors.isLacking(order.from)) {
        await merges.passOn(order);
        continue;
      }
      const { outcome } = await merge(order);
      if (outcome === "updated") moved.add(order.into);
      else if (outcome === "rejected") stuck.add(order.into);
    }
    return { moved, stuck };
  };

  const ofOnePerson = async (sessionId: string, contact: Contact, position: Position): Promise<Contact> => {
    const id = (await aliases.resolver(sessionId))(contact.id);
    if (id !== contact.id) return { ...contact, id, lid: contact.id };
    const { lid } = contact;
    if (lid === null || (await aliases.isTimely({ sessionId, from: lid, into: id, position })))
      return contact;
    return { ...contact, lid: null };
  };

  const upsert = async ({ sessionId, position, items }: Batch<Contact>): Promise<WriteResult[]> => {
    const told: Contact[] = [];
    for (const contact of items) told.push(await ofOnePerson(sessionId, contact, position));
    const { moved, stuck } = await mergeNamed(sessionId, told, position);
    // A contact that names its hidden id counts as merged with it.
    const free = told.map((contact) => (stuck.has(contact.id) ? { ...contact, lid: null } : contact));
    const results = await surely(() => contacts.upsert({ sessionId, position, items: free }));
    return results.map((result, index) =>
      moved.has(told[index]?.id ?? "") && result.outcome !== "rejected"
        ? { ...result, outcome: "updated" }
        : result,
    );
  };

  return {
    upsert: (batch) => inLane(batch.sessionId, () => upsert(batch)),
    merge: (order) => inLane(order.sessionId, () => merge(order)),
  };
}
