/** Erases what was said in a chat or a session, in small steps between the hub's other work, and then the traces of it. */
import { setTimeout as pause } from "node:timers/promises";
import type { Erased, Erasure, ErasureScope, ErasureStep, ErasureStore } from "../core/erasure.ts";
import { HubError } from "../core/errors.ts";
import { removeLeftFiles, type LeftFilesParts } from "./left-files.ts";
import type { SchemaCopies } from "./schema-copies.ts";

const BATCH = 500;
/** A message takes its words, counts and files along. */
const MESSAGES = 100;
/** A backup that is being made reads the log for a moment. */
const LOG_TRIES = 20;
const LOG_PAUSE_MS = 250;

export interface ErasureParts extends Omit<LeftFilesParts, "isStopped"> {
  erasure: ErasureStore;
  schemaCopies: SchemaCopies;
}

export function createErasure({ erasure, schemaCopies, ...files }: ErasureParts): Erasure {
  const { log } = files;

  const refuseOwed = async (scope: ErasureScope): Promise<void> => {
    const sends = await erasure.countOnTheirWay(scope);
    const deliveries = await walk(scope, async (step) => {
      const { count, place } = await erasure.countOwed(step);
      return { removed: count, place };
    });
    if (sends + deliveries === 0) return;
    throw new HubError(
      "STATE_CONFLICT",
      "Messages are on their way to WhatsApp, or webhooks have still to be told of some: wait for them, or dismiss those deliveries.",
      { details: { sends, deliveries } },
    );
  };

  const messagesOf = async (scope: ErasureScope): Promise<Pick<Erased, "messages" | "files">> => {
    const total = { messages: 0, files: 0 };
    for (let batch = MESSAGES; batch > 0;) {
      const gone = await erasure.eraseMessages(scope, MESSAGES);
      total.messages += gone.messages;
      total.files += gone.files;
      batch = gone.messages;
      await turn();
    }
    return total;
  };

  /** What search, and the log of the database, still hold of it. */
  const traces = async (): Promise<void> => {
    for (let isFirst = true; await erasure.eraseWords(isFirst); isFirst = false) await turn();
    for (let tries = LOG_TRIES; tries > 0; tries--) {
      if (await erasure.emptyLog()) return;
      await pause(LOG_PAUSE_MS);
    }
    log.warn({}, "erasure.log_not_emptied"); // the next round of the upkeep does it
  };

  return {
    prepare: async (scope) => {
      await refuseOwed(scope);
      return async () => {
        const messages = await messagesOf(scope);
        const events = await walk(scope, (step) => erasure.eraseEvents(step));
        const stanzas = await walk(scope, (step) => erasure.eraseStanzas(step));
        while (await erasure.eraseRest(scope, BATCH)) await turn();
        await removeLeftFiles({ ...files, isStopped: () => false });
        await traces();
        // The database as it was before a step of the schema has all of it; who orders this again tries this again.
        await schemaCopies.remove(null);
        const erased = { ...messages, events, stanzas };
        log.info({ sessionId: scope.sessionId, isWhole: scope.chatId === null, ...erased }, "erasure.done");
        return erased;
      };
    },
  };
}

async function walk(
  scope: ErasureScope,
  work: (step: ErasureStep) => Promise<{ removed: number; place: number | null }>,
): Promise<number> {
  let total = 0;
  for (let after: number | null = 0; after !== null;) {
    const { removed, place }: { removed: number; place: number | null } = await work({
      ...{ scope, after, limit: BATCH },
    });
    total += removed;
    after = place;
    await turn();
  }
  return total;
}

/** For everybody else, in between. */
const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
