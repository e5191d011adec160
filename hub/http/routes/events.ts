/** The feed of events: the same bodies as the webhooks, to be pulled. */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { EVENT_NAMES, EVENTS, type EventName } from "../../contract/events.ts";
import { eventSchema } from "../../contract/events.ts";
import { HubError } from "../../core/errors.ts";
import { okText } from "../answer.ts";
import { authenticate, requireScope, type Caller } from "../auth.ts";
import type { HttpContext } from "../context.ts";
import { readFeed, type FeedReach } from "../event-feed.ts";
import { clampedNumber } from "../paging.ts";
import { isQrEvent, requireForQr } from "../qr-rights.ts";
import { reachSession } from "../reach.ts";
import { route, type Route } from "../route.ts";
import { inEvent } from "./params.ts";

/** QR codes are told only to whoever names them. */
function typesFor(asked: EventName[] | undefined, caller: Caller): EventName[] {
  const types = asked ?? EVENT_NAMES.filter((name) => EVENTS[name].wildcard);
  if (types.some(isQrEvent)) requireForQr(caller);
  return types;
}

const isEventName = (name: string): name is EventName => EVENT_NAMES.some((known) => known === name);

/** @throws HubError as at the first time */
async function callerAgain(request: IncomingMessage, ctx: HttpContext): Promise<Caller> {
  const { signIn, clock, origins } = ctx;
  const caller = await authenticate(request, new URLSearchParams(), {
    ...{ keys: ctx.store.keys, signIn, clock, origins },
  });
  requireScope(caller, "read");
  return caller;
}

const feedQuery = z.object({
  after: z
    .string()
    .regex(/^(latest|\d{1,15})$/, "use a seq, or latest")
    .default("0")
    .transform((text) => (text === "latest" ? null : Number(text)))
    .meta({ type: "string", description: "A `seq`, or `latest` for the position alone" }),
  limit: clampedNumber({ min: 1, max: 1000, fallback: 50 }),
  sessionId: z.string().max(100).optional(),
  types: z
    .string()
    .max(1000)
    .transform((text) => text.split(",").map((name) => name.trim()))
    .refine((names) => names.every(isEventName), "names an unknown event")
    .transform((names) => names.filter(isEventName))
    .optional()
    .meta({ type: "string", description: "Names of events, separated by commas" }),
  names: z.enum(["native"], "only native names are offered").optional(),
  wait: clampedNumber({ min: 0, max: 25, fallback: 0 }).meta({ description: "Seconds to wait for news" }),
});

const feedSchema = z.object({
  events: z.array(eventSchema),
  nextAfter: z.int(),
  hasMore: z.boolean(),
  latestSeq: z.int(),
  oldestSeq: z.int(),
  hubId: z.string(),
  epoch: z.int(),
});

export const eventRoutes: Route[] = [
  route({
    method: "get",
    path: "/api/events",
    summary: "Events after a number, in order, without gaps; waits for news when asked to",
    scope: "read",
    query: feedQuery,
    response: feedSchema,
    handle: async ({ query, caller, call }, ctx) => {
      const { sessionId, after, limit, types, wait } = query;
      const reachOf = async (who: Caller): Promise<FeedReach> => ({
        types: typesFor(types, who),
        sessions: sessionId
          ? [(await reachSession(sessionId, who, ctx.sessions)).sessionId]
          : who.key.sessions,
      });
      const first = await reachOf(caller);
      // Who waits is asked again who he is: a key that is revoked meanwhile hears no more.
      const again = async (): Promise<FeedReach> => reachOf(await callerAgain(call.request, ctx));
      return okText(await readFeed({ after, limit, waitMs: wait * 1000, first, again }, call.response, ctx));
    },
  }),
  route({
    method: "get",
    path: "/api/events/{eventId}",
    summary: "One event",
    scope: "read",
    params: inEvent,
    response: eventSchema,
    handle: async ({ params, caller }, { store }) => {
      const event = await store.events.byId(params.eventId);
      if (event === null || !caller.sees(event.sessionId))
        throw new HubError("NOT_FOUND", "There is no such event.");
      if (isQrEvent(event.event)) requireForQr(caller);
      return okText(event.body);
    },
  }),
];
