/** The outbox port, put together from its parts. */
import type { OutboxStore } from "../../../core/store.ts";
import type { Engine } from "../engine.ts";
import type { EventLog } from "../event-log.ts";
import { createDue } from "./due.ts";
import { createLaneHeads } from "./lane-heads.ts";
import { createLists } from "./lists.ts";
import { createOutboxStats } from "./outbox-stats.ts";
import { createReplay } from "./replay.ts";
import { createSettle } from "./settle.ts";

export function createOutboxStore(engine: Engine, log: EventLog): Omit<OutboxStore, "forgetAttempts"> {
  const heads = createLaneHeads(engine);
  return {
    ...createDue(engine),
    ...createLists(engine),
    ...createReplay(engine, heads),
    settle: createSettle(engine, { heads, log }),
    stats: createOutboxStats(engine),
  };
}
