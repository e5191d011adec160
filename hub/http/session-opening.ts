/** A session made ready for a CRM in one call: made, named, set, and with somebody who hears of it. */
import type { SessionSettings } from "../core/session.ts";
import { HubError } from "../core/errors.ts";
import { created, ok, type Answer } from "./answer.ts";
import { requireScope, type Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { given, type Given } from "./given.ts";
import { shownSession } from "./session-answers.ts";

export interface SessionAsked {
  sessionId: string;
  sessionName?: string | null | undefined;
  fromFrappe: boolean;
  webhookUrl?: string | null | undefined;
  webhookSecret?: string | null | undefined;
  settings?: { [K in keyof SessionSettings]?: SessionSettings[K] | undefined } | null | undefined;
}

/** 201 when it is new, 200 when it was there. The id stands on both levels, because clients read the one or the other. */
export async function openSession(asked: SessionAsked, caller: Caller, ctx: HttpContext): Promise<Answer> {
  await refuseOutside(asked.sessionId, caller, ctx);
  const { sessionId, sessionName, fromFrappe } = asked;
  if (asked.webhookUrl) {
    requireScope(caller, "webhooks");
    // Before the session is made, so that a refusal leaves nothing behind.
    const wish = { url: asked.webhookUrl, secret: asked.webhookSecret ?? undefined };
    await ctx.endpoints.checkForSession(sessionId, wish);
  }
  const settings: Given<SessionSettings> = given(asked.settings ?? {});
  const { session, created: isNew } = await ctx.sessions.create({
    sessionId,
    settings,
    ...(sessionName ? { sessionName } : {}),
    ...(fromFrappe ? { sendToFrappe: true } : {}),
  });
  if (asked.webhookUrl)
    await setSessionWebhook(sessionId, { url: asked.webhookUrl, secret: asked.webhookSecret }, caller, ctx);
  const shown = await shownSession(session, ctx);
  return isNew ? created({ ...shown, session: shown }) : ok({ ...shown, session: shown });
}

/** A key that sees some sessions may only make one of those: another's deleted session would come back with its history. */
async function refuseOutside(sessionId: string, caller: Caller, { sessions }: HttpContext): Promise<void> {
  if (caller.sees(sessionId)) return;
  if ((await sessions.list()).some((session) => session.sessionId === sessionId))
    throw new HubError("SESSION_EXISTS", "This session id is in use already.");
  throw new HubError("AUTHORIZATION_FAILED", "This key may not make a session of this id.");
}

/** Sets or removes the one endpoint that belongs to a session; a secret is shown only when the hub made it. */
export async function setSessionWebhook(
  sessionId: string,
  { url, secret }: { url?: string | null | undefined; secret?: string | null | undefined },
  caller: Caller,
  { endpoints }: Pick<HttpContext, "endpoints">,
) {
  const change = {
    ...given({ url: url ?? undefined, secret: secret ?? undefined }),
    client: caller.key.client,
  };
  const set = await endpoints.setForSession(sessionId, change);
  return {
    endpointId: set.endpoint?.id ?? null,
    webhookUrl: set.endpoint?.url ?? "",
    ...(set.secret === null ? {} : { webhookSecret: set.secret }),
  };
}
