/** Facts → rows → events, in the caller's transaction. */
import type { Fact } from "../../../core/facts.ts";
import type { Message } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import type { Appliers, FactOf, Work } from "./work.ts";

export interface Recorder {
  apply(session: Session, facts: Fact[], options: { now: Date; repeated: boolean }): Applied;
}

export interface Applied {
  messages: { n: number; message: Message }[];
  lastSeq: number | null;
}

export function createRecorder(appliers: Appliers): Recorder {
  const applyOne = <K extends Fact["kind"]>(work: Work, fact: FactOf<K>): void => {
    appliers[fact.kind](work, fact);
  };

  return {
    apply: (session, facts, { now, repeated }) => {
      const work: Work = { session, now, repeated, stored: [], untold: new Set(), lastSeq: null };
      for (const fact of facts) applyOne(work, fact);
      return { messages: work.stored, lastSeq: work.lastSeq };
    },
  };
}
