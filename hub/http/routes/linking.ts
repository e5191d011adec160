/** What a person needs to link an account: a QR code, or a code to type. Never stored, never cached. */
import { z } from "zod";
import { sessionStatusSchema } from "../../contract/resources.ts";
import { statusOf } from "../../core/present.ts";
import { ok, secret } from "../answer.ts";
import { authorOf } from "../auth.ts";
import { invalid } from "../errors.ts";
import { clampedNumber } from "../paging.ts";
import { latestSeqSchema, positionOf } from "../position.ts";
import { qrAnswer } from "../qr-answer.ts";
import { sessionRoute, type Route } from "../route.ts";
import { inSession, phoneNumberSchema } from "./params.ts";

export const linkingRoutes: Route[] = [
  sessionRoute({
    method: "get",
    path: "/api/sessions/{sessionId}/qr",
    summary: "The QR code to scan; waits a moment for one",
    scope: "admin",
    contract: true,
    counted: false,
    params: inSession,
    query: z.object({
      form: z.enum(["bare", "dataUrl", "png"]).optional(),
      wait: clampedNumber({ min: 0, max: 10, fallback: 8 }),
    }),
    response: z.object({
      qr: z.string(),
      qrCode: z.string(),
      qrCodeDataUrl: z.string(),
      sessionId: z.string(),
      status: z.literal("qr_code"),
      expiresAt: z.iso.datetime(),
    }),
    handle: async ({ session, query }, { sessions }) => {
      const shown = await sessions.qr(session.sessionId, query.wait * 1000);
      return qrAnswer(session, shown, query.form ?? session.settings.qrForm);
    },
  }),
  sessionRoute({
    method: "post",
    path: "/api/sessions/{sessionId}/pairing-code",
    summary: "A code to type on the phone instead of scanning",
    scope: "admin",
    params: inSession,
    body: z.object({
      phoneNumber: phoneNumberSchema.optional().describe("Left out: the one the session was made for"),
    }),
    response: z.object({
      ...{ pairingCode: z.string(), expiresAt: z.iso.datetime(), status: sessionStatusSchema },
      latestSeq: latestSeqSchema,
    }),
    handle: async ({ session: { sessionId, settings }, caller, body }, ctx) => {
      const phoneNumber = body.phoneNumber ?? settings.pairingNumber;
      if (phoneNumber === null)
        throw invalid([{ path: "phoneNumber", problem: "is needed: the session was made without one" }]);
      const by = authorOf(caller);
      const { code, expiresAt, session } = await ctx.sessions.pairingCode(sessionId, phoneNumber, { by });
      const pairingCode = code.replace(/^(.{4})-?(.{4})$/, "$1-$2");
      const status = statusOf(session.state);
      return secret(
        ok({ pairingCode, expiresAt: expiresAt.toISOString(), status, ...(await positionOf(ctx)) }),
      );
    },
  }),
];
