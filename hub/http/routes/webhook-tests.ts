/** Two public self-tests for whoever installs a receiver: "can I reach the hub" and "do I sign as it does". */
import { z } from "zod";
import { signBody } from "../../contract/signature.ts";
import { flat, ok } from "../answer.ts";
import { openRoute, type Route } from "../route.ts";

export const webhookTestRoutes: Route[] = [
  openRoute({
    method: "get",
    path: "/api/webhooks/test/connectivity",
    summary: "The hub can be reached",
    scope: "open",
    contract: true,
    envelope: false,
    response: z.object({ success: z.literal(true) }),
    handle: () => flat({ success: true }),
  }),
  openRoute({
    method: "post",
    path: "/api/webhooks/test/signature",
    summary: "What X-Webhook-Signature would be for this secret and body; nothing is stored",
    scope: "open",
    contract: true,
    body: z.object({ secret: z.string().min(1).max(140), body: z.union([z.string(), z.looseObject({})]) }),
    response: z.object({ signature: z.string() }),
    handle: ({ body: { secret, body } }) =>
      ok({ signature: signBody(secret, typeof body === "string" ? body : JSON.stringify(body)) }),
  }),
];
