/** The feed of events: the same bodies as the webhooks, to be pulled. */
import { z } from "zod";
import { EVENT_NAMES, EVENTS, type EventName } from "../../contract/events.ts";
import { eventSchema } from "../../contract/resources.ts";
import type { Scope } from "../../core/api-key.ts";
import { HubError } from "../../core/errors.ts";
import { okText } from "../answer.ts";
import { readFeed } from "../event-feed.ts";
import { clampedNumber } from "../paging.ts";
import { reachSession } from "../reach.ts";
import { route, type Route } from "../route.ts";
import { inEvent } from "./params.ts";

/** A QR code lets whoever reads it link the account: it is told only to who may administer, and names it. */
const isQrEvent = (name: EventName): boolean => name === "session.qr";

function typesFor(asked: EventName[] | undefined, scopes: readonly Scope[]): EventName[] {
  const types = asked ?? EVENT_NAMES.filter((name) => EVENTS[name].wildcard);
  if (types.some(isQrEvent) && !scopes.includes("admin"))
    throw new HubError("AUTHORIZATION_FAILED", "Events with QR codes need the scope admin.", {
      details: { scope: "admin" },
    });
  return types;
}

const isEventName = (name: string): name is EventName => EVENT_NAMES.some((known) => known === name);

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
      const sessions = sessionId
        ? [(await reachSession(sessionId, caller, ctx.sessions)).sessionId]
        : caller.key.sessions;
      return okText(
        await readFeed(
          { after, limit, types: typesFor(types, caller.key.scopes), sessions, waitMs: wait * 1000 },
          call.response,
          ctx,
        ),
      );
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
      if (isQrEvent(event.event)) typesFor([event.event], caller.key.scopes);
      return okText(event.body);
    },
  }),
];
