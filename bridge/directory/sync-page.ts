/** One page: read, then each client written on its own. Reading and writing share the page's three attempts. */
import type { ClientStore, DirectoryClient } from "../adapter.ts";
import { CrmUnavailable } from "../errors.ts";
import type { Attempts } from "./attempts.ts";
import type { ClientRules } from "./decide-client.ts";
import { emptyTally, type PageTally } from "./directory-job.ts";
import type { Outage } from "./outage.ts";
import { DirectoryPageFailed, DirectoryRefused, type DirectoryPage, type DirectorySource } from "./source.ts";
import { writeClient, type ClientTrouble } from "./write-client.ts";

/**
 * unread   this page did not arrive; the next one may
 * ended    nothing more can be done: the directory refuses us, or the CRM takes nothing
 * timeUp   the run's time is over; what was written of the page is met again
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
      const page = await source.page(n, signal);
      refuseEmpty(n, page);
      return { kind: "read", page };
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

/**
 * A page where, by its own answer, somebody has to be. One that is merely shorter than others is none: clients may leave while
 * the directory is read, and `finish` counts who came.
 */
function refuseEmpty(
  n: number,
  { clients, unreadable, totalPages, totalRecords, perPage }: DirectoryPage,
): void {
  if (clients.length + unreadable.length > 0) return;
  if (n >= totalPages && totalRecords <= (n - 1) * perPage) return;
  throw new DirectoryPageFailed(
    `page ${n} of ${totalPages} is empty, with ${perPage} clients to a page and ${totalRecords} in all`,
  );
}

/**
 * `only`: the clients to be written, where it is not all of them. One with which the CRM fails is tried again after the others, as
 * often as the page may be, and is then an error of its own; the pass ends only where the CRM is away.
 */
export async function writePage(
  page: DirectoryPage,
  only: ReadonlySet<string> | null,
  deps: PageDeps,
): Promise<WrittenPage> {
  const isWanted = ({ externalId }: { externalId: string }): boolean => only?.has(externalId) ?? true;
  const tally = emptyTally();
  tally.failures.push(...page.unreadable.filter(isWanted));
  let todo: Todo[] = page.clients.filter(isWanted).map((client) => ({ client, isKnown: only !== null }));
  for (;;) {
    const { untried, troubled } = await writeRound(todo, tally, deps);
    const last = troubled.at(-1);
    if (last === undefined) return { kind: "written", tally };
    const asked = troubled.map(({ cause }) =>
      cause instanceof CrmUnavailable ? cause.retryAfterSeconds : null,
    );
    const next = await deps.attempts.failed(Math.max(...asked.map((seconds) => seconds ?? 0)));
    if (next === "timeUp") return { kind: "timeUp", tally };
    // The CRM's own words may be about a person: the log gets the kind of trouble alone.
    if (next === "exhausted" && deps.outage.isAway())
      return { kind: "ended", error: last.cause.message, reason: last.cause.name, tally };
    if (next === "exhausted") {
      for (const { client, cause } of troubled)
        tally.failures.push({ externalId: client.externalId, error: cause.message });
      return { kind: "written", tally };
    }
    todo = [
      ...untried.slice(-1),
      ...untried.slice(0, -1),
      ...troubled.map(({ client }) => ({ client, isKnown: true })),
    ];
  }
}

/** `tally`: what was written, also where the run ends on this page. */
type WrittenPage = ({ kind: "written" } | Exclude<PageTrouble, { kind: "unread" }>) & { tally: PageTally };

interface Troubled {
  client: DirectoryClient;
  cause: ClientTrouble["cause"];
}

interface PageDeps {
  clients: ClientStore;
  rules: ClientRules;
  attempts: Attempts;
  outage: Outage;
  signal: AbortSignal;
}

/** `isKnown`: the CRM failed with it before, which says little of others. */
interface Todo {
  client: DirectoryClient;
  isKnown: boolean;
}

/** Each once, up to where the CRM turns out to be away. */
async function writeRound(
  todo: Todo[],
  tally: PageTally,
  deps: PageDeps,
): Promise<{ untried: Todo[]; troubled: Troubled[] }> {
  const { outage, signal } = deps;
  const troubled: Troubled[] = [];
  const untried = [...todo];
  for (let next = untried.shift(); next !== undefined; next = untried.shift()) {
    const { client, isKnown } = next;
    signal.throwIfAborted();
    const outcome = await writeClient(client, deps);
    if (outcome.kind !== "trouble") {
      if (outcome.kind !== "skipped") outage.reached();
      if (outcome.kind === "error")
        tally.failures.push({ externalId: client.externalId, error: outcome.error });
      else tally[outcome.kind] += 1;
      continue;
    }
    troubled.push({ client, cause: outcome.cause });
    const wasAway = outage.isAway();
    outage.failed({ isTelling: !(isKnown && outcome.isReached) });
    if (wasAway) break;
    // Bad ones come in clusters: one from far off tells whether it is the CRM.
    if (outage.isAway()) untried.unshift(...untried.splice(-1));
  }
  return { untried, troubled };
}
