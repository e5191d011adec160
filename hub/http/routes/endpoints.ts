/** Webhook subscriptions: where events go, signed how, and how it fares. */
import { z } from "zod";
import { endpointSchema } from "../../contract/administration.ts";
import { EVENT_NAMES } from "../../contract/events.ts";
import { PRESETS } from "../../contract/signature.ts";
import { created, listOf, ok, secret } from "../answer.ts";
import { presentEndpoints, reachEndpoint, shownEndpoint } from "../endpoint-answers.ts";
import { audienceOf } from "../endpoint-audience.ts";
import { given } from "../given.ts";
import { paging } from "../paging.ts";
import { requireForQr, requireForTelling } from "../qr-rights.ts";
import { route, type Route } from "../route.ts";
import { slice } from "../slice.ts";
import { listOfSchema } from "./list-of.ts";
import { inEndpoint } from "./params.ts";

const secretText = z.string().max(200);

/** Shapes only; `outbox/endpoint-rules.ts` holds the rules, and names every one that is broken. */
const endpointFields = z.object({
  url: z.string().min(1).max(2048),
  description: z.string().max(500).optional(),
  sessions: z.union([z.literal("*"), z.array(z.string().max(100)).min(1).max(1000)]).optional(),
  events: z
    .array(z.enum(["*", ...EVENT_NAMES]))
    .min(1)
    .max(100)
    .optional(),
  format: z.literal("native", "only the native format is offered").optional(),
  ordering: z.enum(["chat", "session"]).optional(),
  ack: z.enum(["body", "status"]).optional(),
  presets: z.array(z.enum(PRESETS)).max(PRESETS.length).optional(),
  headers: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      "Sent with each event, sealed on disk. They go when the URL changes to another scheme, host or port, unless they are given in the same call",
    ),
  timeoutMs: z.int().meta({ minimum: 5_000, maximum: 30_000 }).optional(),
  concurrency: z.int().meta({ minimum: 1, maximum: 32 }).optional(),
  enabled: z.boolean().optional(),
  client: z.string().min(1).max(100).nullable().optional(),
  includeQr: z
    .boolean()
    .optional()
    .describe(
      "Whether it is told `session.qr`. Needs the scope admin; so do then a change of `url`, `sessions` or `events`, and a new secret",
    ),
  signatureHeaderName: z.string().max(100).nullable().optional(),
  ca: z
    .string()
    .nullable()
    .optional()
    .describe(
      "Certificates of authorities of your own, as PEM, up to ten: this endpoint's certificate may be signed by one of them as well as by those the system knows. Host name and dates are checked as ever. Null takes them away",
    ),
});

const shownOnce = endpointSchema.extend({ secret: z.string().describe("Shown only now") });

export const endpointRoutes: Route[] = [
  route({
    method: "get",
    path: "/api/endpoints",
    summary: "Endpoints of this key's sessions",
    scope: "webhooks",
    query: z.object({ ...paging(), sessionId: z.string().max(100).optional() }),
    response: listOfSchema("endpoints", endpointSchema),
    handle: async ({ query, caller }, ctx) =>
      listOf(
        "endpoints",
        slice(await presentEndpoints(caller, query, ctx), query),
        query,
        (endpoint) => endpoint,
      ),
  }),
  route({
    method: "post",
    path: "/api/endpoints",
    summary: "Subscribes a URL; the secret is shown once",
    scope: "webhooks",
    body: endpointFields.extend({ secret: secretText.optional() }),
    example: {
      url: "https://crm.example/hook",
      events: ["message.received", "session.connected"],
      sessions: ["s1"],
    },
    response: shownOnce,
    status: 201,
    handle: async ({ body, caller, call }, ctx) => {
      const audience = await audienceOf(body.sessions, caller, ctx);
      if (body.includeQr === true) requireForQr(caller);
      const input = { client: caller.key.client, ...body, sessions: audience };
      const made = await ctx.endpoints.create(input, call.audited);
      return secret(created({ ...(await shownEndpoint(made.endpoint, ctx)), secret: made.secret }));
    },
  }),
  route({
    method: "get",
    path: "/api/endpoints/{endpointId}",
    summary: "One endpoint",
    scope: "webhooks",
    params: inEndpoint,
    response: endpointSchema,
    handle: async ({ params, caller }, ctx) =>
      ok(await shownEndpoint(await reachEndpoint(params.endpointId, caller, ctx), ctx)),
  }),
  route({
    method: "put",
    path: "/api/endpoints/{endpointId}",
    summary: "Changes some of an endpoint's fields",
    scope: "webhooks",
    params: inEndpoint,
    body: endpointFields.partial(),
    response: endpointSchema,
    handle: async ({ params, body, caller, call }, ctx) => {
      const before = await reachEndpoint(params.endpointId, caller, ctx);
      const audience =
        body.sessions === undefined ? before.sessions : await audienceOf(body.sessions, caller, ctx);
      const change = { ...body, sessions: audience };
      requireForTelling(caller, before, { ...before, ...given(change) });
      return ok(await shownEndpoint(await ctx.endpoints.update(before.id, change, call.audited), ctx));
    },
  }),
  route({
    method: "delete",
    path: "/api/endpoints/{endpointId}",
    summary: "Deletes an endpoint and dismisses what it was still owed",
    scope: "webhooks",
    params: inEndpoint,
    response: z.object({ deleted: z.literal(true), dismissed: z.int() }),
    handle: async ({ params, caller, call }, ctx) => {
      const { id } = await reachEndpoint(params.endpointId, caller, ctx);
      return ok({ deleted: true, ...(await ctx.endpoints.remove(id, call.audited)) });
    },
  }),
  route({
    method: "post",
    path: "/api/endpoints/{endpointId}/rotate-secret",
    summary: "A new secret; the old one stays valid for a day in webhook-signature",
    scope: "webhooks",
    params: inEndpoint,
    body: z.object({ secret: secretText.optional() }),
    response: z.object({ secret: z.string(), previousValidUntil: z.iso.datetime() }),
    handle: async ({ params, body, caller, call }, ctx) => {
      const { id, includeQr } = await reachEndpoint(params.endpointId, caller, ctx);
      if (includeQr) requireForQr(caller);
      const rotated = await ctx.endpoints.rotateSecret(id, body.secret, call.audited);
      return secret(
        ok({ secret: rotated.secret, previousValidUntil: rotated.previousValidUntil.toISOString() }),
      );
    },
  }),
  ...(["pause", "resume"] as const).map((order) =>
    route({
      method: "post",
      path: `/api/endpoints/{endpointId}/${order}`,
      summary: order === "pause" ? "Stops delivering; events keep accruing" : "Delivers again",
      scope: "webhooks",
      params: inEndpoint,
      response: endpointSchema,
      handle: async ({ params, caller, call }, ctx) => {
        const { id } = await reachEndpoint(params.endpointId, caller, ctx);
        return ok(await shownEndpoint(await ctx.endpoints[order](id, call.audited), ctx));
      },
    }),
  ),
  route({
    method: "post",
    path: "/api/endpoints/{endpointId}/test",
    summary: "Sends a test event and tells how far it got",
    scope: "webhooks",
    params: inEndpoint,
    body: z.object({ event: z.enum(EVENT_NAMES).optional() }),
    response: z.object({
      hops: z.array(
        z.object({
          hop: z.enum(["dns", "connect", "tls", "http", "signature", "ack"]),
          ok: z.boolean(),
          ms: z.number().nullable(),
          detail: z.string(),
          advice: z.string().nullable(),
        }),
      ),
      status: z.int().nullable(),
      body: z.string(),
    }),
    handle: async ({ params, body, caller }, ctx) => {
      const { id } = await reachEndpoint(params.endpointId, caller, ctx);
      return ok(await ctx.endpoints.test(id, body.event));
    },
  }),
];
