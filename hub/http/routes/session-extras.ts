/** A session's past, and the switches that the Frappe scripts of older installations use. */
import { z } from "zod";
import { sessionSchema } from "../../contract/resources.ts";
import { listOf, ok } from "../answer.ts";
import { paging } from "../paging.ts";
import { route, sessionRoute, type Route } from "../route.ts";
import { sessionList } from "../session-answers.ts";
import { setSessionWebhook } from "../session-opening.ts";
import { listOfSchema } from "./list-of.ts";
import { inSession } from "./params.ts";

const frappeSchema = z.object({ sessionId: z.string(), sendToFrappe: z.boolean() });

export const sessionExtraRoutes: Route[] = [
  route({
    method: "get",
    path: "/api/sessions/frappe/sessions",
    summary: "Sessions whose events go to a Frappe site",
    scope: "webhooks",
    contract: true,
    query: z.object(paging(100)),
    response: listOfSchema("sessions", sessionSchema),
    handle: async ({ caller, query }, ctx) => {
      const all = await ctx.sessions.list();
      return sessionList(
        all.filter(({ sendToFrappe }) => sendToFrappe),
        caller,
        query,
        ctx,
      );
    },
  }),
  sessionRoute({
    method: "get",
    path: "/api/sessions/{sessionId}/frappe/status",
    summary: "Whether a session's events go to a Frappe site",
    scope: "webhooks",
    contract: true,
    params: inSession,
    response: frappeSchema,
    handle: ({ session: { sessionId, sendToFrappe } }) => ok({ sessionId, sendToFrappe }),
  }),
  sessionRoute({
    method: "post",
    path: "/api/sessions/{sessionId}/frappe/configure",
    summary: "Says whether a session's events go to a Frappe site",
    scope: "webhooks",
    contract: true,
    params: inSession,
    body: z.object({ sendToFrappe: z.boolean() }),
    response: frappeSchema,
    handle: async ({ session, body }, { sessions }) => {
      const { sessionId, sendToFrappe } = await sessions.saveDetails(session.sessionId, body);
      return ok({ sessionId, sendToFrappe });
    },
  }),
  sessionRoute({
    method: "put",
    path: "/api/sessions/{sessionId}/webhook",
    summary: "Sets the one webhook that belongs to a session; an empty URL removes it",
    scope: "webhooks",
    contract: true,
    params: inSession,
    body: z.object({
      webhookUrl: z.string().max(2048).nullish(),
      webhookSecret: z.string().max(140).nullish(),
    }),
    response: z.object({
      endpointId: z.string().nullable(),
      webhookUrl: z.string(),
      webhookSecret: z.string().optional(),
    }),
    handle: async ({ session, body, caller }, ctx) =>
      ok(
        await setSessionWebhook(
          session.sessionId,
          { url: body.webhookUrl, secret: body.webhookSecret },
          caller,
          ctx,
        ),
      ),
  }),
  sessionRoute({
    method: "get",
    path: "/api/sessions/{sessionId}/timeline",
    summary: "What happened to a session, newest first",
    scope: "read",
    params: inSession,
    query: z.object(paging()),
    response: listOfSchema(
      "entries",
      z.object({ at: z.iso.datetime(), type: z.string(), text: z.string(), reason: z.string().nullable() }),
    ),
    handle: async ({ session, query }, { store }) => {
      const page = await store.sessions.timeline(session.sessionId, query);
      return listOf("entries", page, query, ({ at, state, text }) => ({
        at: at.toISOString(),
        type: state,
        text,
        reason: null,
      }));
    },
  }),
];
