/**
 * Tells of chats in which something arrived, or that are called otherwise now: a second after the first, once for all that came
 * meanwhile. The store has marked the chats, so a kill in between only makes it later.
 */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import { noPressure, type Pressure } from "../core/pressure.ts";
import type { InboxStore } from "../core/store.ts";
import type { Ingest } from "./ingest.ts";

const TOLD_AFTER_MS = 1_000;
/** Of one transaction. */
const BATCH = 100;

export interface ChatNews {
  /** Marks that were set before stay on disk for the next start. */
  stop(): Promise<void>;
}

export function startChatNews({
  inbox,
  ingest,
  clock,
  nudge,
  pressure = noPressure,
  log,
}: {
  inbox: Pick<InboxStore, "tellChats">;
  ingest: Pick<Ingest, "onRecorded">;
  clock: Clock;
  nudge: Nudge;
  pressure?: Pressure;
  log: Log;
}): ChatNews {
  let timer: NodeJS.Timeout | null = null;
  let telling: Promise<void> = Promise.resolve();
  let isStopped = false;

  async function tellAll(): Promise<void> {
    for (let told = BATCH; told === BATCH && !isStopped;) {
      told = await inbox.tellChats(BATCH, clock.now());
      if (told > 0) nudge.ring();
      // Others get their turn between two transactions.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  function plan(): void {
    if (timer !== null || isStopped) return;
    timer = setTimeout(() => {
      timer = null;
      if (pressure.sheds("unread_counts")) {
        plan();
        return;
      }
      telling = tellAll().catch((error: unknown) => {
        log.error({ err: error }, "chats.not_told");
        plan();
      });
    }, TOLD_AFTER_MS);
    timer.unref();
  }

  const leave = ingest.onRecorded((_session, facts, { messages }) => {
    if (messages.length > 0 || facts.some(({ kind }) => kind === "contact" || kind === "group")) plan();
  });
  // What an earlier process did not come to.
  plan();

  return {
    stop: async () => {
      isStopped = true;
      leave();
      if (timer !== null) clearTimeout(timer);
      await telling;
    },
  };
}
