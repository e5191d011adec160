/** One call of `record` on its way: what it is about, what it tells, and what came of it so far. */
import { eventsOf, type Change } from "../../../core/events-of.ts";
import type { Fact } from "../../../core/facts.ts";
import type { Message } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import type { Engine } from "../engine.ts";
import type { EventLog } from "../event-log.ts";

export interface Work {
  session: Session;
  now: Date;
  /** The facts come from stanzas that were recorded before: those without a key of their own are skipped. */
  repeated: boolean;
  stored: { n: number; message: Message }[];
  /** Those of them that history brought: nobody was told, and who reads them reads what else history says of them. */
  untold: Set<number>;
  lastSeq: number | null;
}

type Kind = Fact["kind"];
/** Written as a lookup, so that the compiler ties a fact to the function for its kind. */
export type FactOf<K extends Kind> = { [P in K]: Extract<Fact, { kind: P }> & { kind: P } }[K];

/** What each kind of fact does. */
export type Appliers<K extends Kind = Kind> = { [P in K]: (work: Work, fact: FactOf<P>) => void };

/** Writes the events of a change. */
export type Tell = (work: Work, change: Change) => void;

export const createTell =
  (engine: Engine, log: EventLog): Tell =>
  (work, change) => {
    const events = eventsOf(change, engine.viewOf(work.session), work.now);
    const last = log.append(work.session, events, work.now).at(-1);
    if (last !== undefined) work.lastSeq = last.seq;
  };
