/** One page: read, then each client written on its own. Reading and writing share the page's three attempts. */
import type { ClientStore } from "../adapter.ts";
import { CrmUnavailable } from "../errors.ts";
import type { Attempts } from "./attempts.ts";
import type { ClientRules } from "./decide-client.ts";
import { emptyTally, type PageTally } from "./directory-job.ts";
import { DirectoryPageFailed, DirectoryRefused, type DirectoryPage, type DirectorySource } from "./source.ts";
import { isCrmTrouble, writeClient } from "./write-client.ts";

/**
 * unread   this page did not arrive; the next one may
 * ended    nothing more can be done: the directory refuses us, or the CRM takes nothing
 * timeUp   the run's time is over; what was written of the page is met again as unchanged
 */
export type PageTrouble =
  | { kind: "unread"; error: string; reason: string }
  | { kind: "ended"; error: string; reason: string }
  | { kind: "timeUp" };

export async function readPage(
  n: number,
  { source, attempts, signal }: { source: DirectorySource; attempts: Attempts; signal: AbortSignal },
): Promise<{ kind: "read"; page: DirectoryPage } | PageTrouble> {
  for (;;) {
    try {
      return { kind: "read", page: await source.page(n, signal) };
    } catch (error) {
      if (error instanceof DirectoryRefused)
        return { kind: "ended", error: error.message, reason: error.message };
      if (!(error instanceof DirectoryPageFailed)) throw error;
      const next = await attempts.failed(error.retryAfterSeconds);
      if (next === "timeUp") return { kind: "timeUp" };
      if (next === "exhausted") return { kind: "unread", error: error.message, reason: error.reason };
    }
  }
}

/** `only`: the clients to be written, where it is not all of them. */
export async function writePage(
  page: DirectoryPage,
  only: ReadonlySet<string> | null,
  deps: { clients: ClientStore; rules: ClientRules; attempts: Attempts; signal: AbortSignal },
): Promise<{ kind: "written"; tally: PageTally } | PageTrouble> {
  const isWanted = ({ externalId }: { externalId: string }): boolean => only?.has(externalId) ?? true;
  const tally = emptyTally();
  tally.failures.push(...page.unreadable.filter(isWanted));
  for (const client of page.clients.filter(isWanted)) {
    deps.signal.throwIfAborted();
    for (;;) {
      try {
        const outcome = await writeClient(client, deps);
        if (outcome.kind === "error")
          tally.failures.push({ externalId: client.externalId, error: outcome.error });
        else tally[outcome.kind] += 1;
        break;
      } catch (error) {
        if (!isCrmTrouble(error)) throw error;
        const asked = error instanceof CrmUnavailable ? error.retryAfterSeconds : null;
        const next = await deps.attempts.failed(asked);
        if (next === "timeUp") return { kind: "timeUp" };
        // The CRM's own words may be about a person: the log gets the kind of trouble alone.
        if (next === "exhausted") return { kind: "ended", error: error.message, reason: error.name };
      }
    }
  }
  return { kind: "written", tally };
}
