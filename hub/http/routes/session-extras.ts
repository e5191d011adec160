/** A session's past, and the switches that the Frappe scripts of older installations use. */
import { z } from "zod";
import { setSessionSchema } from "../../contract/session-standing.ts";
import { sessionFiguresSchema } from "../../contract/session-standing.ts";
import { numberingOf } from "../addresses.ts";
import { listOf, ok } from "../answer.ts";
import { paging } from "../paging.ts";
import { route, sessionRoute, type Route } from "../route.ts";
import { sessionList } from "../session-answers.ts";
import { figuresOfAll, presentFigures } from "../session-figures.ts";
import { setSessionWebhook } from "../session-opening.ts";
import { followedListOfSchema, listOfSchema } from "./list-of.ts";
import { chatIdSchema, inSession } from "./params.ts";

const coverageSchema = z.object({
  oldest: z.int().nullable(),
  newest: z.int().nullable(),
  chats: z.int(),
  messages: z.int(),
  complete: z.boolean().describe("The import that began with linking has come to its end"),
  chatsWithOlder: z.int().describe("Chats of which the phone has older messages"),
});

const frappeSchema = z.object({ sessionId: z.string(), sendToFrappe: z.boolean() });

export const sessionExtraRoutes: Route[] = [
  route({
    method: "get",
    path: "/api/sessions/frappe/sessions",
    summary: "Sessions that are marked as a Frappe site's; the mark holds no event back",
    scope: "webhooks",
    contract: true,
    query: z.object(paging(100)),
    response: followedListOfSchema("sessions", setSessionSchema),
    handle: ({ caller, query }, ctx) => sessionList(caller, { ...query, sendToFrappe: true }, ctx),
  }),
  sessionRoute({
    method: "get",
    path: "/api/sessions/{sessionId}/frappe/status",
    summary: "Whether a session is marked as a Frappe site's",
    scope: "webhooks",
    contract: true,
    params: inSession,
    response: frappeSchema,
    handle: ({ session: { sessionId, sendToFrappe } }) => ok({ sessionId, sendToFrappe }),
  }),
  sessionRoute({
    method: "post",
    path: "/api/sessions/{sessionId}/frappe/configure",
    summary:
      "Marks a session as a Frappe site's, or not; the mark holds no event back: endpoints say what is sent where",
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
    method: "post",
    path: "/api/sessions/{sessionId}/sync",
    summary: "Asks the phone for older messages, of one chat or of those with the newest messages",
    scope: "admin",
    params: inSession,
    body: z.object({ days: z.int().min(1).max(36_500).nullish(), chatId: chatIdSchema.nullish() }),
    response: z.object({
      requested: z.boolean().describe("False when the phone has nothing older to give"),
      chats: z.int().describe("Chats that were asked for; what comes is told by `history.synced`"),
      coverage: coverageSchema,
    }),
    handle: async ({ session: { sessionId }, caller, body }, { history }) => {
      const { chatId = null, days = null } = body;
      const order = { sessionId, chatId, days, numbering: numberingOf(caller) };
      const { chats, coverage } = await history.ask(order);
      return ok({ requested: chats > 0, chats, coverage });
    },
  }),
  sessionRoute({
    method: "get",
    path: "/api/sessions/{sessionId}/figures",
    summary: "How the connection of a session has done so far",
    scope: "read",
    params: inSession,
    response: sessionFiguresSchema,
    handle: async ({ session: { sessionId } }, { sessions, clock }) =>
      ok(presentFigures(await sessions.figures(sessionId), clock.now())),
  }),
  route({
    method: "get",
    path: "/api/figures",
    summary: "How the connections of all sessions of this key have done so far",
    scope: "read",
    response: z.object({
      figures: z.array(sessionFiguresSchema.extend({ id: z.int(), sessionId: z.string() })),
    }),
    handle: ({ caller }, ctx) => figuresOfAll(caller, ctx),
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
      return listOf("entries", page, query, ({ at, type, text, reason }) => ({
        at: at.toISOString(),
        type,
        text,
        reason,
      }));
    },
  }),
];
