/** What is owed to endpoints, what became of it, and the orders a person can give about it. */
import { z } from "zod";
import { deliverySchema, replaySchema } from "../../contract/administration.ts";
import { listOf, ok } from "../answer.ts";
import { deliveryPresenter, presentAttempt, presentHeaders, reachDelivery } from "../delivery-answers.ts";
import { deliveryFilterShape, deliveryOrderSchema, filterOf, orderFilterOf } from "../delivery-filter.ts";
import { deliverableEndpoints, reachEndpoint } from "../endpoint-answers.ts";
import { paging } from "../paging.ts";
import { isQrEvent, requireForQr } from "../qr-rights.ts";
import { reachReplay, replayPresenter } from "../replay-answers.ts";
import { route, type Route } from "../route.ts";
import { listOfSchema } from "./list-of.ts";
import { inDelivery, inReplay } from "./params.ts";

const attemptSchema = z.object({
  n: z.int(),
  at: z.iso.datetime(),
  ms: z.int(),
  status: z.int().nullable(),
  error: z.string().nullable(),
  responseHead: z.string().nullable(),
});

const statsSchema = z.object({
  pending: z.int(),
  retrying: z.int(),
  dead: z.int(),
  oldestPendingSeconds: z.number().nullable(),
  deliveredLastHour: z.int(),
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
});

const reasonField = z.string().max(500).optional();

export const deliveryRoutes: Route[] = [
  route({
    method: "get",
    path: "/api/deliveries",
    summary: "Deliveries, in the order of their events",
    scope: "webhooks",
    query: z.object({ ...paging(), ...deliveryFilterShape }),
    response: listOfSchema("deliveries", deliverySchema),
    handle: async ({ query, caller }, ctx) => {
      const filter = {
        ...(await filterOf(query, caller, ctx)),
        endpoints: await deliverableEndpoints(caller, ctx),
      };
      const { page, limit, cursor } = query;
      const found = await ctx.store.outbox.list({ ...filter, page, limit, cursor });
      return listOf("deliveries", found, query, await deliveryPresenter(ctx));
    },
  }),
  route({
    method: "get",
    path: "/api/deliveries/stats",
    summary: "How much is owed, and how fast it goes",
    scope: "webhooks",
    query: z.object({ endpointId: z.string().max(40).optional() }),
    response: statsSchema,
    handle: async ({ query, caller }, ctx) => {
      const meant = query.endpointId
        ? (await reachEndpoint(query.endpointId, caller, ctx)).id
        : await deliverableEndpoints(caller, ctx);
      return ok(await ctx.store.outbox.stats(meant === "*" ? null : meant, ctx.clock.now()));
    },
  }),
  route({
    method: "post",
    path: "/api/deliveries/replay",
    summary: "Sends matching finished deliveries again; one job per filter at a time",
    scope: "webhooks",
    body: deliveryOrderSchema.extend({ dryRun: z.boolean().default(false) }),
    response: z.object({ job: z.string().nullable(), matched: z.int() }),
    handle: async ({ body: { dryRun, ...asked }, caller }, ctx) =>
      ok(await ctx.replays.start(await orderFilterOf(asked, caller, ctx), { dryRun, by: caller.key.id })),
  }),
  route({
    method: "get",
    path: "/api/deliveries/replays",
    summary: "Replays by a filter, newest first: those under way, and the last hundred that ended",
    scope: "webhooks",
    query: z.object(paging()),
    response: listOfSchema("replays", replaySchema),
    handle: async ({ query, caller }, ctx) => {
      const found = await ctx.store.outbox.replays({
        ...query,
        endpoints: await deliverableEndpoints(caller, ctx),
      });
      return listOf("replays", found, query, await replayPresenter(ctx));
    },
  }),
  route({
    method: "get",
    path: "/api/deliveries/replays/{job}",
    summary: "How far one of them is",
    scope: "webhooks",
    params: inReplay,
    response: replaySchema,
    handle: async ({ params, caller }, ctx) => {
      const found = await reachReplay(params.job, caller, ctx);
      return ok((await replayPresenter(ctx))(found));
    },
  }),
  route({
    method: "post",
    path: "/api/deliveries/dismiss",
    summary: "Gives up matching deliveries that are not delivered",
    scope: "webhooks",
    body: deliveryOrderSchema.extend({ reason: reasonField }),
    response: z.object({ dismissed: z.int() }),
    handle: async ({ body: { reason, ...asked }, caller }, ctx) => {
      const order = { by: caller.key.id, reason: reason ?? null };
      return ok({ dismissed: await ctx.replays.dismiss(await orderFilterOf(asked, caller, ctx), order) });
    },
  }),
  route({
    method: "get",
    path: "/api/deliveries/{deliveryId}",
    summary: "One delivery: the bytes that were sent and every attempt",
    scope: "webhooks",
    params: inDelivery,
    response: deliverySchema.extend({
      body: z.string(),
      headers: z.record(z.string(), z.string()),
      attemptLog: z.array(attemptSchema),
    }),
    handle: async ({ params, caller }, ctx) => {
      const { delivery, body, attempts } = await reachDelivery(params.deliveryId, caller, ctx);
      if (isQrEvent(delivery.event)) requireForQr(caller);
      const log = {
        headers: await presentHeaders(delivery, body, ctx),
        attemptLog: attempts.map(presentAttempt),
      };
      return ok({ ...(await deliveryPresenter(ctx))(delivery), body, ...log });
    },
  }),
  route({
    method: "post",
    path: "/api/deliveries/{deliveryId}/replay",
    summary: "Sends one delivery again, also one that was delivered",
    scope: "webhooks",
    params: inDelivery,
    response: deliverySchema,
    handle: async ({ params, caller }, ctx) => {
      const { delivery } = await reachDelivery(params.deliveryId, caller, ctx);
      await ctx.replays.replayOne(delivery.n, { by: caller.key.id });
      const after = await reachDelivery(params.deliveryId, caller, ctx);
      return ok((await deliveryPresenter(ctx))(after.delivery));
    },
  }),
  route({
    method: "post",
    path: "/api/deliveries/{deliveryId}/dismiss",
    summary: "Gives up one delivery",
    scope: "webhooks",
    params: inDelivery,
    body: z.object({ reason: reasonField }),
    response: z.object({ dismissed: z.int() }),
    handle: async ({ params, body, caller }, ctx) => {
      const { delivery } = await reachDelivery(params.deliveryId, caller, ctx);
      const order = { by: caller.key.id, reason: body.reason ?? null };
      return ok({ dismissed: await ctx.replays.dismiss({ n: delivery.n }, order) });
    },
  }),
];
