/** A session made ready for a CRM in one call: made, named, set, and with somebody who hears of it. */
import type { EndpointTemplate } from "../core/api-key.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Session, SessionSettings } from "../core/session.ts";
import { HubError } from "../core/errors.ts";
import { created, ok, type Answer } from "./answer.ts";
import { requireScope, type Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { invalid } from "./errors.ts";
import { given, type Given } from "./given.ts";
import { templateSecret } from "./key-settings.ts";
import { requireForSessionHook } from "./qr-rights.ts";
import { shownSession } from "./session-answers.ts";

export interface SessionAsked {
  sessionId: string;
  sessionName?: string | null | undefined;
  fromFrappe: boolean;
  webhookUrl?: string | null | undefined;
  webhookSecret?: string | null | undefined;
  /** Digits; empty: not said. */
  phoneNumber?: string | null | undefined;
  settings?: { [K in keyof SessionSettings]?: SessionSettings[K] | undefined } | null | undefined;
}

/** 201 when it is new, 200 when it was there. The id stands on both levels, because clients read the one or the other. */
export async function openSession(asked: SessionAsked, caller: Caller, ctx: HttpContext): Promise<Answer> {
  await refuseOutside(asked.sessionId, caller, ctx);
  const { sessionId, sessionName, fromFrappe, phoneNumber } = asked;
  const known = await ctx.sessions.get(sessionId).catch(nullIfNone);
  const webhook = await webhookFor(asked, known, caller, ctx);
  if (webhook !== null) await requireForSessionHook(caller, sessionId, webhook, ctx.endpoints);
  // Before the session is made, so that a refusal leaves nothing behind.
  if (webhook !== null) await ctx.endpoints.checkForSession(sessionId, webhook).catch(webhook.refused);
  const settings: Given<SessionSettings> = given(asked.settings ?? {});
  const { jidForm } = caller.key.settings;
  const { session, created: isNew } = await ctx.sessions.create({
    sessionId,
    settings: { ...settings, ...(phoneNumber ? { pairingNumber: phoneNumber } : {}) },
    ...(jidForm === null ? {} : { defaults: { jidForm } }),
    ...(sessionName ? { sessionName } : {}),
    ...(fromFrappe ? { sendToFrappe: true } : {}),
    by: caller.key.client,
  });
  if (webhook !== null)
    await ctx.endpoints.setForSession(sessionId, { ...webhook, client: caller.key.client });
  const shown = await shownSession(session, ctx);
  return isNew ? created({ ...shown, session: shown }) : ok({ ...shown, session: shown });
}

const nullIfNone = (error: unknown): null => {
  if (error instanceof HubError && error.code === "SESSION_NOT_FOUND") return null;
  throw error;
};

interface WebhookWish {
  url: string;
  secret?: string | undefined;
  settings?: Pick<Endpoint, "events" | "ordering" | "ack" | "presets">;
  /** Says what was wrong with it in the caller's words. */
  refused: (error: unknown) => never;
}

const asItIs = (error: unknown): never => {
  throw error;
};

/** Who is to hear of the session, if that is to change: as the call says, else as the key does for Frappe sites. */
async function webhookFor(
  asked: SessionAsked,
  known: Session | null,
  caller: Caller,
  ctx: Pick<HttpContext, "endpoints" | "cipher">,
): Promise<WebhookWish | null> {
  const { webhookUrl: url, webhookSecret } = asked;
  if (url || webhookSecret) requireScope(caller, "webhooks");
  const secret = webhookSecret ? { secret: webhookSecret } : {};
  if (url) return { url, ...secret, refused: asItIs };
  const hearing = await ctx.endpoints.forSession(asked.sessionId);
  const own = hearing.find(({ managedBy }) => managedBy === "session");
  if (own !== undefined) return webhookSecret ? { url: own.url, ...secret, refused: asItIs } : null;
  const template = templateFor(asked, known, caller);
  if (template !== null && !hearing.some((endpoint) => endpoint.url === template.url))
    return { ...wishOf(template, caller, ctx), ...secret };
  if (!webhookSecret) return null;
  throw invalid([
    { path: "webhookSecret", problem: "is of no use without a webhookUrl: the session has none" },
  ]);
}

/** One that is there already is given it only where a kill came between the two. */
const templateFor = (
  { fromFrappe }: SessionAsked,
  known: Session | null,
  { key }: Caller,
): EndpointTemplate | null =>
  fromFrappe && (known === null || known.sendToFrappe) ? key.settings.defaultEndpoint : null;

function wishOf(template: EndpointTemplate, { key }: Caller, ctx: Pick<HttpContext, "cipher">): WebhookWish {
  const { url, events, ordering, ack, presets } = template;
  const settings = { events, ordering, ack, presets };
  return { url, secret: templateSecret(key.id, template, ctx), settings, refused: templateRefused };
}

/** The caller did not write it. */
const templateRefused = (error: unknown): never => {
  if (!(error instanceof HubError)) throw error;
  throw new HubError("VALIDATION_ERROR", `The defaultEndpoint of this key cannot be used: ${error.message}`, {
    details: error.details ?? {},
    cause: error,
  });
};

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
  await requireForSessionHook(caller, sessionId, change, endpoints);
  const set = await endpoints.setForSession(sessionId, change);
  return {
    endpointId: set.endpoint?.id ?? null,
    webhookUrl: set.endpoint?.url ?? "",
    ...(set.secret === null ? {} : { webhookSecret: set.secret }),
  };
}
