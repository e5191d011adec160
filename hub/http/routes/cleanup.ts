/** Cleaning a session that is stuck, and taking that back. */
import { z } from "zod";
import { cleanupStepSchema, sessionSchema } from "../../contract/resources.ts";
import { CLEANUP_MODES, presentCleanup } from "../../core/cleanup.ts";
import { ok } from "../answer.ts";
import { sessionRoute, type Route } from "../route.ts";
import { sessionAnswer, shownSession } from "../session-answers.ts";
import { inSession, prefixed } from "./params.ts";

const reportSchema = z.object({
  sessionId: z.string(),
  mode: z.enum(CLEANUP_MODES),
  quarantineId: z.string().nullable().describe("Null when no login was put away"),
  undoUntil: z.iso.datetime().nullable().describe("Null when it cannot be undone"),
  steps: z.array(cleanupStepSchema),
  session: sessionSchema,
});

const putAwaySchema = z.object({
  logins: z.array(
    z.object({
      quarantineId: z.string(),
      reason: z.string(),
      at: z.iso.datetime(),
      undoUntil: z.iso.datetime().nullable().describe("Null when it cannot be brought back"),
    }),
  ),
});

export const cleanupRoutes: Route[] = [
  sessionRoute({
    method: "post",
    path: "/api/sessions/{sessionId}/force-cleanup",
    summary:
      "Takes a stuck session apart, step by step, and connects it again; its login is never thrown away",
    scope: "admin",
    params: inSession,
    body: z.object({
      mode: z
        .enum(CLEANUP_MODES)
        .nullish()
        .describe(
          "soft: keeps the login; quarantine: offers a new QR code; retire: unlinks as well. Left out: soft, unless the login is no use",
        ),
    }),
    response: reportSchema,
    handle: async ({ session: { sessionId }, body }, ctx) => {
      const { report, session } = await ctx.sessions.forceCleanup(sessionId, { mode: body.mode ?? null });
      return ok({ ...presentCleanup(report), session: await shownSession(session, ctx) });
    },
  }),
  sessionRoute({
    method: "get",
    path: "/api/sessions/{sessionId}/force-cleanup",
    summary:
      "Logins that were put away: by a cleanup, or to make room for one that was brought back; newest first",
    scope: "admin",
    params: inSession,
    response: putAwaySchema,
    handle: async ({ session: { sessionId } }, ctx) => {
      const logins = await ctx.sessions.putAway(sessionId);
      return ok({
        logins: logins.map(({ id, reason, at, undoUntil }) => ({
          ...{ quarantineId: id, reason },
          at: at.toISOString(),
          undoUntil: undoUntil?.toISOString() ?? null,
        })),
      });
    },
  }),
  sessionRoute({
    method: "post",
    path: "/api/sessions/{sessionId}/force-cleanup/undo",
    summary: "Goes on with the login that a cleanup put away, within seven days",
    scope: "admin",
    params: inSession,
    body: z.object({ quarantineId: prefixed("qr", "a quarantine").nullish() }),
    response: sessionSchema,
    handle: async ({ session: { sessionId }, body }, ctx) =>
      sessionAnswer(await ctx.sessions.undoCleanup(sessionId, body.quarantineId ?? null), ctx),
  }),
];
