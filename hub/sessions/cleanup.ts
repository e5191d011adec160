/**
 * Takes everything apart that is held for one account, one step after the other. A step that fails is reported, and the
 * rest goes on; where there is nothing to clean there is nothing to fail. The login itself is never thrown away.
 */
import { HubError } from "../core/errors.ts";
import { sessionCleanup, type CleanupMode, type CleanupReport, type CleanupStep } from "../core/cleanup.ts";
import { isActive } from "../core/session-state.ts";
import type { Connection } from "./connection.ts";
import type { PutAway } from "./logins.ts";
import { REASONS } from "./reasons.ts";
import type { RunnerParts } from "./runner-parts.ts";
import { pause } from "./schedule.ts";
import type { SessionRecord } from "./session-record.ts";
import { unlinkAnew, unlinkOver } from "./unlink.ts";

/** WhatsApp needs a moment to forget a connection before it takes the next one of the same login without complaint. */
const SETTLE_MS = 1_000;

interface Cleanup {
  record: SessionRecord;
  connection: Connection;
  parts: RunnerParts;
}

/** Runs in the session's order. `asked` is null when the caller leaves the choice to us. */
export async function cleanUp(asked: CleanupMode | null, cleanup: Cleanup): Promise<CleanupReport> {
  const { record, connection, parts } = cleanup;
  const { sessionId } = record.session();
  const isPaired = await parts.connector.isPaired(sessionId);
  const mode = asked ?? (await fittingMode(isPaired, cleanup));
  const wasActive = isActive(record.session().state);
  const steps: CleanupStep[] = [];
  const step = stepper(steps, cleanup);
  let putAway: PutAway | null = null;
  let isOutOfUse = false;

  const { openLink } = connection;
  const told = mode === "retire" && openLink !== null ? await unlinkOver(openLink, parts.schedule) : null;
  await step("socket", () => connection.line.close());
  await step("qr", () => connection.codes.forget());
  await step("caches", () => parts.connector.forget(sessionId));
  await step("locks", () => connection.cut());
  await step("credentials", async () => {
    if (mode === "soft") return assertReadable(cleanup);
    const isTold = told ?? (mode === "retire" && isPaired ? await unlinkAnew(sessionId, parts) : null);
    // What WhatsApp has unlinked cannot come back.
    const isUndoable = mode === "quarantine" || isTold === false;
    putAway = await parts.logins.quarantine(sessionId, `force-cleanup ${mode}`, { isUndoable });
    isOutOfUse = true;
    if (isTold === false) throw new StepFailure("WhatsApp could not be told; remove the device on the phone");
  });
  await step("settle", async () => {
    await pause(SETTLE_MS, parts.schedule);
    if (isOutOfUse) {
      await connection.end({ type: "logout" }, REASONS.cleaned);
      await connection.start();
    } else if (isPaired || wasActive) await connection.renew();
  });

  const { quarantineId = null, undoUntil = null } = (putAway as PutAway | null) ?? {};
  const report: CleanupReport = { sessionId, mode, quarantineId, undoUntil, steps };
  await record.tell([sessionCleanup(report)]);
  const failed = steps.filter(({ ok }) => !ok).map(({ name }) => name);
  parts.log.info({ sessionId, mode, quarantineId, failed }, "session.cleaned");
  return report;
}

/** A login that works is kept; one that does not makes room for a new one; where there is none there is nothing to move. */
async function fittingMode(isPaired: boolean, { record, parts }: Cleanup): Promise<CleanupMode> {
  const { sessionId, state } = record.session();
  if (state === "logged_out") return "quarantine";
  if (isPaired) return "soft";
  return (await parts.logins.standing(sessionId)) === null ? "soft" : "quarantine";
}

/** Says so when the login will not carry the next connection; that one deals with it. */
async function assertReadable({ record, parts }: Cleanup): Promise<void> {
  const { sessionId } = record.session();
  const isLost =
    (await parts.logins.standing(sessionId)) !== null && !(await parts.connector.isPaired(sessionId));
  if (isLost && !isActive(record.session().state)) throw new StepFailure("the login cannot be used");
}

/** Its words are for the caller. */
class StepFailure extends Error {}

function stepper(steps: CleanupStep[], { record, parts }: Cleanup) {
  return async (name: CleanupStep["name"], work: () => Promise<void> | void): Promise<void> => {
    const startedAt = performance.now();
    const done = (error: string | null): void => {
      const ms = Math.round(performance.now() - startedAt);
      steps.push({ name, ok: error === null, ms, ...(error === null ? {} : { error }) });
    };
    try {
      await work();
      done(null);
    } catch (cause) {
      parts.log.warn(
        { sessionId: record.session().sessionId, step: name, err: cause },
        "session.step_failed",
      );
      const isSayable = cause instanceof StepFailure || cause instanceof HubError;
      done(isSayable ? cause.message : "failed; the hub's log says why");
    }
  };
}
