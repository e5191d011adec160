/** How facts get written down: the inbox's way in, given to the connector from outside. */
import type { Fact } from "../core/facts.ts";
import type { Recorded } from "../core/store.ts";

export type RecordFacts = (entry: {
  sessionId: string;
  facts: Fact[];
  closes: Uint8Array[];
}) => Promise<Recorded>;
