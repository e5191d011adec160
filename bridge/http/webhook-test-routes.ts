/** For whoever sets a webhook up: can the bridge be reached, and does a body signed with my secret pass? Nothing is applied. */
import express, { Router, type Request, type Response } from "express";
import { verify } from "../../hub/contract/index.ts";
import type { Clock } from "../clock.ts";
import { signatureProblem } from "../webhook/check-signature.ts";

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
  clock,
}: {
  app: string;
  secrets: () => string[];
  acceptLegacy: boolean;
  clock: Clock;
}): Router {
  const router = Router();
  router.all(`/${app}.api.webhook_test.test_webhook_connectivity`, (_request, response) => {
    response.json({ message: { success: true, message: "The bridge can be reached." } });
  });
  router.post(
    `/${app}.api.webhook_test.test_webhook_with_signature`,
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
