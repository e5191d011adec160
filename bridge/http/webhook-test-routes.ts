/** For whoever sets a webhook up: can the bridge be reached, and does a body signed with my secret pass? Nothing is applied. */
import express, { Router, type Request, type Response } from "express";
import { verify } from "../../hub/contract/index.ts";
import type { Clock } from "../clock.ts";
import { signatureProblem } from "../webhook/check-signature.ts";
import type { Auth } from "./auth.ts";

const CONNECTIVITY = "test_webhook_connectivity";
const SIGNATURE = "test_webhook_with_signature";

const ADVICE: Record<"missing" | "malformed" | "expired" | "mismatch", string> = {
  missing: "Invalid signature: the headers webhook-id, webhook-timestamp and webhook-signature are needed.",
  malformed: "Invalid signature: one of the webhook headers is not of its form.",
  expired: "Invalid signature: the timestamp is more than 5 minutes away; set the clocks.",
  mismatch: "Invalid signature: it was made with another secret, or over other bytes.",
};

export function webhookTestRoutes({
  app,
  secrets,
  acceptLegacy,
  auth,
  clock,
}: {
  app: string;
  secrets: () => string[];
  acceptLegacy: boolean;
  auth: Auth;
  clock: Clock;
}): Router {
  const router = Router();
  const named = (name: string): string => `/${app}.api.webhook_test.${name}`;
  // Strangers have the webhook's own path: they need no second one that reads a megabyte, nor advice on what is wrong.
  router.all([named(CONNECTIVITY), named(SIGNATURE)], (request, _response, next) => {
    auth.callerOf(request);
    next();
  });
  router.all(named(CONNECTIVITY), (_request, response) => {
    response.json({ message: { success: true, message: "The bridge can be reached." } });
  });
  router.post(
    named(SIGNATURE),
    express.raw({ limit: "1mb", type: () => true, inflate: false }),
    (request: Request, response: Response) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const signed = { headers: request.headers, body, secrets: secrets(), now: clock.now() };
      const verdict = verify(signed);
      // What passes here passes as a webhook, and the other way round.
      const isTaken = signatureProblem({ ...signed, acceptLegacy }) === null;
      response.status(isTaken ? 200 : 401).json({
        message:
          verdict.ok || isTaken
            ? { success: true, message: "The signature is valid." }
            : { success: false, error: ADVICE[verdict.reason] },
      });
    },
  );
  return router;
}
