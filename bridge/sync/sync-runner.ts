/**
 * One pass from the hub to the CRM: check → contacts → chats → messages (after lost events also changed ones) → stats. Each page moves the checkpoint once the CRM
 * has it: stopping costs at most the page that was being written, and a kill those of the last moments, written once all the same.
 */
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";
import { BridgeError, CrmMisconfigured } from "../errors.ts";
import type { HubClient, SessionStanding } from "../hub-client.ts";
import { sessionLane, type Lanes } from "../lanes.ts";
import type { Checkpoint, SyncStep } from "../state/bridge-state.ts";
import { isTimeUp, planOf } from "./budget.ts";
import { startOfPass, type SyncParts } from "./checkpoint.ts";
import { copyChanged } from "./copy-changed.ts";
import { copyChats, copyContacts } from "./copy-list.ts";
import { copyMessages } from "./copy-messages.ts";
import { createReadAhead, type ReadAhead } from "./read-ahead.ts";
import { createShortfall } from "./shortfall.ts";
import { isFromScratch } from "./sync-job.ts";
import {
  entering,
  placeOf,
  type StepContext,
  type SyncEnd,
  type SyncRun,
  type SyncStepWork,
} from "./sync-run.ts";

/** @throws CrmUnavailable, CrmMisconfigured, HubUnavailable, BridgeError SESSION_NOT_CONNECTED, UNAVAILABLE */
export type SyncRunner = (run: SyncRun) => Promise<SyncEnd>;

type RunnerParts = Pick<StepContext, "adapter" | "writer" | "limits"> & {
  hub: HubClient;
  lanes: Lanes;
  clock: Clock;
};

const COPYING: [SyncStep, SyncStepWork][] = [
  ["contacts", copyContacts],
  ["chats", copyChats],
  ["messages", copyMessages],
];

export function createSyncRunner(parts: RunnerParts): SyncRunner {
  const { adapter, limits, clock } = parts;
  const shortfall = createShortfall(limits);

  return async (run) => {
    const { sessionId, parts: wanted } = run.job();
    const elapsed = createElapsed(clock);
    const ahead = createReadAhead(parts.hub, sessionId, limits);
    const begun = Math.floor(clock.now().getTime() / 1000);
    const asked = parts.hub.session(sessionId);
    if (run.job().checkpoint === null) readFirst(ahead, startOfPass(wanted, begun, run.syncedUntil), wanted);
    const standing = await asked;
    const { totals: there } = standing;
    await check(standing, parts);
    run.plan(planOf(there, limits));
    if (run.job().checkpoint === null) {
      const missing = shortfall.missing(sessionId, there, await adapter.totals(sessionId));
      const isWhole = isFromScratch(run.job()) || missing.contacts + missing.chats > 0;
      run.save(entering(startOfPass(wanted, begun, isWhole ? null : run.syncedUntil), { there, limits }));
    }

    const isOver = (): SyncEnd | null => {
      if (run.isStopped()) return "stopped";
      return isTimeUp(elapsed(), limits) ? "timed_out" : null;
    };
    for (const [step, copy] of COPYING) {
      if (placeOf(run).step !== step) continue;
      const end = await copy({ ...parts, hub: ahead.hub, ahead, run, sessionId, there, isOver });
      if (end !== null) return end;
    }

    const end = await copyChanged({ ...parts, run, sessionId, isOver });
    if (end !== null) return end;

    const totals = await adapter.totals(sessionId);
    if (wanted.contacts && wanted.chats && placeOf(run).since === null)
      shortfall.accept(sessionId, there, totals);
    await adapter.noteSession(sessionId, { totals, lastSync: clock.now() });
    return "completed";
  };
}

/**
 * What a new pass reads first, while it is being checked. Should the check say that everything is to be read after all, a
 * short answer was asked for in vain.
 */
function readFirst(ahead: ReadAhead, { since }: Checkpoint, wanted: SyncParts): void {
  if (wanted.contacts) ahead.contacts(since);
  if (wanted.chats) ahead.chats(since);
  if (wanted.messages) ahead.messages({ isWhole: since === null });
}

/** Proves that the session is connected, and writes it into the CRM. */
async function check(
  { session, position }: SessionStanding,
  { adapter, lanes }: Pick<RunnerParts, "adapter" | "lanes">,
): Promise<void> {
  // A short drop is told by no event: nobody would ask for this sync again before the hour is over.
  if (session.status === "connecting")
    throw new BridgeError("UNAVAILABLE", "The session is being connected to WhatsApp again.");
  if (session.status !== "connected")
    throw new BridgeError("SESSION_NOT_CONNECTED", "The session is not connected to WhatsApp.");
  // What an event tells meanwhile is newer by its position, whichever is written first.
  const { outcome, error } = await lanes.run(sessionLane(session.sessionId), () =>
    adapter.upsertSession(session, position),
  );
  if (outcome === "rejected")
    throw new CrmMisconfigured(`The CRM refused the session: ${error ?? "without a reason"}`);
}
