/** Is it alive, and can it do its work: for load balancers, process managers and monitors. */
import { Router, type RequestHandler } from "express";
import type { Clock } from "../clock.ts";
import { createElapsed } from "../elapsed.ts";
import { CrmMisconfigured, CrmUnavailable } from "../errors.ts";
import type { FeedLag } from "../feed-lag.ts";
import type { OutgoingFigures } from "../outgoing/outgoing.ts";
import { isLocal, type Auth } from "./auth.ts";

interface HealthParts {
  version: string;
  clock: Clock;
  auth: Auth;
  feedLag: () => Promise<FeedLag>;
  checkCrm: () => Promise<void>;
  outgoing: () => OutgoingFigures;
}

const CRM_FRESH_MS = 5_000;

export function healthRoutes({ version, clock, auth, feedLag, checkCrm, outgoing }: HealthParts): Router {
  const router = Router();
  const crm = cachedCheck(checkCrm, clock);

  router.get("/health", (_request, response) => {
    response.json({
      success: true,
      status: "ok",
      message: "Inbox Hub bridge is running",
      timestamp: clock.now().toISOString(),
      version,
    });
  });
  router.get("/readyz", localOrKey(auth), async (_request, response) => {
    const [lag, crmProblem] = await Promise.all([feedLag(), crm()]);
    const isReady = lag.isReachable && crmProblem === null;
    response.setHeader("Cache-Control", "no-store");
    response.status(isReady ? 200 : 503).json({
      ready: isReady,
      checks: {
        hub: { ok: lag.isReachable, ...(lag.problem === null ? {} : { problem: lag.problem }) },
        crm: { ok: crmProblem === null, ...(crmProblem === null ? {} : { problem: crmProblem }) },
        feed: { mark: lag.mark, hubSeq: lag.hubSeq, lag: lag.hubSeq === null ? null : lag.hubSeq - lag.mark },
        outgoing: outgoing(),
      },
    });
  });
  return router;
}

/** What tells of the inside is for this machine and for those who have a key. */
export const localOrKey =
  (auth: Auth): RequestHandler =>
  (request, _response, next) => {
    if (!isLocal(request)) auth.callerOf(request);
    next();
  };

/** Why the CRM cannot be used, or null. Monitors that ask every second must not be what keeps a CRM busy. */
function cachedCheck(check: () => Promise<void>, clock: Clock): () => Promise<string | null> {
  const elapsed = createElapsed(clock);
  let last: { at: number; problem: Promise<string | null> } | null = null;
  const ask = async (): Promise<string | null> => {
    try {
      await check();
      return null;
    } catch (cause) {
      if (cause instanceof CrmUnavailable || cause instanceof CrmMisconfigured) return cause.message;
      throw cause;
    }
  };
  return () => {
    const now = elapsed();
    if (last === null || now - last.at >= CRM_FRESH_MS) last = { at: now, problem: ask() };
    return last.problem;
  };
}
