/**
 * Calls that a CRM may do without. One that turns out to lack such a call is left alone with it for some minutes: an event
 * that it could not take anyway must not hold up those behind it.
 */
import type { Clock } from "../../clock.ts";
import { createElapsed } from "../../elapsed.ts";
import type { Log } from "../../log.ts";
import { NotCovered, type AskTrouble } from "./crm-answer.ts";

/** A CRM that learns the call meanwhile is asked again after this. */
const REMEMBERED_MS = 5 * 60_000;

export interface OptionalCalls {
  /** `instead`: what stands for the answer of a CRM that has no such call. */
  ask<T>(kind: string, call: () => Promise<T>, instead: T): Promise<T>;
  /** A call that every CRM must have: one that is just not there is a mistake, only an outspoken 501 is not. */
  need<T>(kind: string, call: () => Promise<T>, instead: T): Promise<T>;
  /** Said once of each kind; `error` where the CRM said so, and no setting. */
  notCovered(kind: string, error?: NotCovered): void;
}

export function createOptionalCalls({
  trouble,
  clock,
  log,
}: {
  /** Whether the CRM answers what it must: a server that has lost all its paths for a moment lacks none of them. */
  trouble: AskTrouble;
  clock: Clock;
  log: Log;
}): OptionalCalls {
  const elapsed = createElapsed(clock);
  const lackingUntil = new Map<string, number>();
  const worked = new Set<string>();
  const told = new Set<string>();

  const notCovered: OptionalCalls["notCovered"] = (kind, error) => {
    if (told.has(kind)) return;
    told.add(kind);
    if (error === undefined || error.isMeant) log.info({ kind }, "crm.not_covered");
    else log.warn({ kind, advice: "check CRM_URL and the paths in CRM_MAP" }, "crm.not_covered");
  };

  return {
    notCovered,
    ask: async (kind, call, instead) => {
      if ((lackingUntil.get(kind) ?? 0) > elapsed()) return instead;
      try {
        const answer = await call();
        worked.add(kind);
        return answer;
      } catch (error) {
        if (!(error instanceof NotCovered)) throw error;
        // What worked before is not missing but broken: nothing may be passed over for that.
        if (!error.isMeant && (worked.has(kind) || (await trouble()) !== null)) throw error;
        lackingUntil.set(kind, elapsed() + REMEMBERED_MS);
        notCovered(kind, error);
        return instead;
      }
    },
    need: async (kind, call, instead) => {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof NotCovered) || !error.isMeant) throw error;
        notCovered(kind, error);
        return instead;
      }
    },
  };
}
