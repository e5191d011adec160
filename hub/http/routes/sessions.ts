/** Accounts: made, linked, connected, stopped, unlinked, deleted. */
import { z } from "zod";
import { endpointSchema, erasedSchema } from "../../contract/administration.ts";
import {
  sessionIdSchema,
  sessionSchema,
  sessionSettingsSchema,
  sessionStatusSchema,
} from "../../contract/resources.ts";
import { sendingSchema, sessionTotalsSchema, setSessionSchema } from "../../contract/session-standing.ts";
import { HubError } from "../../core/errors.ts";
import { ok } from "../answer.ts";
import { authorOf } from "../auth.ts";
import { given } from "../given.ts";
import { clampNumber, flag, paging } from "../paging.ts";
import { reachOrRevive } from "../reach.ts";
import { route, sessionRoute, type Route } from "../route.ts";
import { latestSeqSchema } from "../position.ts";
import {
  orderAnswer,
  sessionDetail,
  sessionList,
  sessionStanding,
  sessionStats,
} from "../session-answers.ts";
import { openSession } from "../session-opening.ts";
import { followedListOfSchema } from "./list-of.ts";
import { inSession, phoneNumberOrEmpty } from "./params.ts";

/** The order's own event, where it made one, has this number or a lower one; what has a higher one came after it. */
const orderedSessionSchema = sessionSchema.extend({ latestSeq: latestSeqSchema });

const settingsChange = sessionSettingsSchema
  .extend({
    bot: z.object({ enabled: z.boolean(), reason: z.string().max(500).nullable().default(null) }),
  })
  .partial();

/** Seconds as a number or as text; brought into range, never refused. */
const waitSchema = z
  .union([z.number(), z.string(), z.null()])
  .optional()
  .transform((wait) =>
    clampNumber(wait ?? DEFAULT_WAIT_SECONDS, { min: 0, max: 8, fallback: DEFAULT_WAIT_SECONDS }),
  )
  .meta({ type: "number", minimum: 0, maximum: 8, default: 3 });

/** Long enough for a QR code or an open connection to be in the answer, short enough for a person. */
const DEFAULT_WAIT_SECONDS = 3;

/** X looks for the id on both levels: its code on the one, its documents on the other. */
const openedSchema = sessionSchema.extend({ session: sessionSchema });

export const sessionRoutes: Route[] = [
  route({
    method: "get",
    path: "/api/sessions",
    summary: "Sessions of this key",
    scope: "read",
    contract: true,
    query: z.object({
      ...paging(100),
      status: z.string().max(20).optional(),
      search: z.string().max(200).optional(),
    }),
    response: followedListOfSchema("sessions", setSessionSchema),
    handle: ({ caller, query }, ctx) => sessionList(caller, query, ctx),
  }),
  route({
    method: "post",
    path: "/api/sessions",
    summary: "Creates a session without connecting it; 200 when it is there already",
    scope: "admin",
    contract: true,
    body: z.object({
      sessionId: sessionIdSchema,
      sessionName: z.string().min(1).max(255).nullish(),
      fromFrappe: z.boolean().nullish(),
      webhookUrl: z.string().max(2048).nullish(),
      webhookSecret: z.string().max(140).nullish(),
      phoneNumber: phoneNumberOrEmpty.nullish().describe("What a pairing code is for; of a new session"),
      settings: settingsChange.nullish(),
    }),
    example: { sessionId: "s1", sessionName: "Front desk" },
    response: openedSchema,
    status: 201,
    handle: ({ body, caller, call }, ctx) =>
      openSession(
        { ...body, fromFrappe: body.fromFrappe ?? isFromFrappe(call.request.headers) },
        caller,
        ctx,
      ),
  }),
  route({
    method: "get",
    path: "/api/sessions/stats",
    summary: "Counts over the sessions of this key",
    scope: "read",
    contract: true,
    response: z.object({
      total: z.int(),
      byStatus: z.partialRecord(sessionStatusSchema, z.int()),
      messagesToday: z.int(),
      deliveriesPending: z.int(),
    }),
    handle: async ({ caller }, ctx) => sessionStats(await ctx.sessions.list(), caller, ctx),
  }),
  sessionRoute({
    method: "get",
    path: "/api/sessions/{sessionId}",
    summary: "A session with its settings, endpoints and range of history",
    scope: "read",
    contract: true,
    params: inSession,
    response: setSessionSchema.extend({
      sending: sendingSchema,
      endpoints: z.array(endpointSchema),
      history: z.object({ oldest: z.int().nullable(), newest: z.int().nullable(), complete: z.boolean() }),
    }),
    handle: ({ session, caller }, ctx) => sessionDetail(session, caller, ctx),
  }),
  sessionRoute({
    method: "get",
    path: "/api/sessions/{sessionId}/status",
    summary: "A session's state",
    scope: "read",
    contract: true,
    counted: false,
    params: inSession,
    response: setSessionSchema.extend({ totals: sessionTotalsSchema, latestSeq: latestSeqSchema }),
    handle: ({ session }, ctx) => sessionStanding(session.sessionId, ctx),
  }),
  route({
    method: "post",
    path: "/api/sessions/{sessionId}/connect",
    summary:
      "Connects, or shows a QR code to scan; no effect when connected or connecting, and ends the wait for a next try",
    scope: "admin",
    contract: true,
    params: inSession,
    body: z.object({ wait: waitSchema }),
    response: orderedSessionSchema,
    handle: async ({ params, caller, body }, ctx) => {
      const { sessionId } = await reachOrRevive(params.sessionId, caller, ctx.sessions);
      const options = { waitMs: body.wait * 1000, by: authorOf(caller) };
      return orderAnswer(await ctx.sessions.connect(sessionId, options), ctx);
    },
  }),
  sessionRoute({
    method: "post",
    path: "/api/sessions/{sessionId}/disconnect",
    summary: "Stops the connection; the login is kept",
    scope: "admin",
    contract: true,
    params: inSession,
    response: orderedSessionSchema,
    handle: async ({ session, caller }, ctx) =>
      orderAnswer(await ctx.sessions.disconnect(session.sessionId, { by: authorOf(caller) }), ctx),
  }),
  sessionRoute({
    method: "post",
    path: "/api/sessions/{sessionId}/restart",
    summary: "A new connection with the same login",
    scope: "admin",
    contract: true,
    params: inSession,
    response: orderedSessionSchema,
    handle: async ({ session, caller }, ctx) =>
      orderAnswer(await ctx.sessions.restart(session.sessionId, { by: authorOf(caller) }), ctx),
  }),
  sessionRoute({
    method: "post",
    path: "/api/sessions/{sessionId}/logout",
    summary: "Unlinks the device; its login goes to quarantine",
    scope: "admin",
    contract: true,
    params: inSession,
    response: orderedSessionSchema,
    handle: async ({ session, caller }, ctx) =>
      orderAnswer(await ctx.sessions.logout(session.sessionId, { by: authorOf(caller) }), ctx),
  }),
  sessionRoute({
    method: "delete",
    path: "/api/sessions/{sessionId}",
    summary:
      "Stops and hides a session; its login is kept sealed for a week unless it is logged out. A person may erase its history",
    scope: "admin",
    contract: true,
    params: inSession,
    query: z.object({ logout: flag, purge: flag }),
    response: z.object({
      ...{ id: z.int(), sessionId: z.string(), deleted: z.literal(true) },
      erased: erasedSchema.optional().describe("With `purge`: what went"),
    }),
    handle: async ({ session: { id, sessionId }, caller, query }, { sessions, erasure }) => {
      if (query.purge && caller.person === null)
        throw new HubError("AUTHORIZATION_FAILED", "Only a person who logged in may erase history.");
      const erase = query.purge ? await erasure.prepare({ sessionId, chatId: null }) : null;
      await sessions.remove(sessionId, { logout: query.logout ?? false, by: authorOf(caller) });
      return ok({ id, sessionId, deleted: true, ...(erase === null ? {} : { erased: await erase() }) });
    },
  }),
  sessionRoute({
    method: "get",
    path: "/api/sessions/{sessionId}/settings",
    summary: "A session's settings",
    scope: "admin",
    params: inSession,
    response: sessionSettingsSchema,
    handle: ({ session }) => ok(session.settings),
  }),
  sessionRoute({
    method: "put",
    path: "/api/sessions/{sessionId}/settings",
    summary: "Changes some of a session's settings",
    scope: "admin",
    params: inSession,
    body: settingsChange,
    response: sessionSettingsSchema,
    handle: async ({ session, body, caller }, { sessions }) => {
      const by = caller.key.client;
      return ok((await sessions.saveSettings(session.sessionId, given(body), { by })).settings);
    },
  }),
];

const isFromFrappe = (headers: Record<string, string | string[] | undefined>): boolean =>
  String(headers["x-frappe-origin"]).toLowerCase() === "true";
