/** Is it alive, and can it do its work: for load balancers, process managers and monitors. */
import { Router, type RequestHandler } from "express";
import { adviceOnCrm } from "../advice.ts";
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
  crmName: string;
  checkCrm: () => Promise<void>;
  outgoing: () => OutgoingFigures;
}

const CRM_FRESH_MS = 5_000;

export function healthRoutes(parts: HealthParts): Router {
  const { version, clock, auth, feedLag, outgoing } = parts;
  const router = Router();
  const crm = cachedCheck(parts);

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
    const [lag, crmTrouble] = await Promise.all([feedLag(), crm()]);
    const isReady = lag.isReachable && crmTrouble === null;
    response.setHeader("Cache-Control", "no-store");
    response.status(isReady ? 200 : 503).json({
      ready: isReady,
      checks: {
        hub: {
          ok: lag.isReachable,
          ...(lag.isReachable ? {} : { problem: lag.problem, advice: lag.advice }),
        },
        crm: { ok: crmTrouble === null, ...crmTrouble },
        feed: { mark: lag.mark, hubSeq: lag.hubSeq, lag: lag.lag },
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

interface Trouble {
  problem: string;
  advice: string | null;
}

/** Why the CRM cannot be used, or null. Monitors that ask every second must not be what keeps a CRM busy. */
function cachedCheck({
  crmName,
  checkCrm,
  clock,
}: Pick<HealthParts, "crmName" | "checkCrm" | "clock">): () => Promise<Trouble | null> {
  const elapsed = createElapsed(clock);
  let last: { at: number; trouble: Promise<Trouble | null> } | null = null;
  const ask = async (): Promise<Trouble | null> => {
    try {
      await checkCrm();
      return null;
    } catch (cause) {
      if (!(cause instanceof CrmUnavailable || cause instanceof CrmMisconfigured)) throw cause;
      return { problem: cause.message, advice: adviceOnCrm(crmName, cause) };
    }
  };
  return () => {
    const now = elapsed();
    if (last === null || now - last.at >= CRM_FRESH_MS) last = { at: now, trouble: ask() };
    return last.trouble;
  };
}
