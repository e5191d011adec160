/** From the table of routes to Express: admission, limits, body, idempotency, handler, answer, in this order. */
import type { Express, Request, RequestHandler, Response } from "express";
import { HubError } from "../core/errors.ts";
import { nameRoute } from "./access-log.ts";
import { sendAnswer, type Answer } from "./answer.ts";
import { createAuditTrail, type AuditTrail, type Trail } from "./audit-trail.ts";
import { authenticate, requireScope, type Caller } from "./auth.ts";
import type { HttpContext } from "./context.ts";
import { readJson } from "./json-body.ts";
import { onceFor } from "./once.ts";
import { createRateLimits, type RateLimits } from "./rate-limits.ts";
import type { Admission, Call, Route } from "./route.ts";

export function mountRoutes(app: Express, routes: Route[], ctx: HttpContext): void {
  const limits = createRateLimits();
  const audit = createAuditTrail(ctx);
  for (const route of routes) app[route.method](patternOf(route.path), serve(route, ctx, { limits, audit }));
  for (const path of new Set(routes.map((route) => route.path)))
    app.all(patternOf(path), refuseMethod(routes.filter((route) => route.path === path)));
  app.use((request) => {
    nameRoute(request, "none");
    throw new HubError("NOT_FOUND", "There is no such route.");
  });
}

/** `{name}` as OpenAPI writes it → `:name` as Express does. */
const patternOf = (path: string): string => path.replace(/\{(\w+)\}/g, ":$1");

function refuseMethod(routes: Route[]): RequestHandler {
  const allowed = [...new Set(routes.map((route) => route.method.toUpperCase()))].join(", ");
  return (request, response) => {
    nameRoute(request, routes[0]?.path ?? "none");
    response.setHeader("Allow", allowed);
    throw new HubError("METHOD_NOT_ALLOWED", `Use ${allowed} here.`);
  };
}

function serve(
  route: Route,
  ctx: HttpContext,
  { limits, audit }: { limits: RateLimits; audit: AuditTrail },
): RequestHandler {
  const answerTo = async (request: Request, response: Response, trail: Trail): Promise<Answer> => {
    const query = new URLSearchParams(request.url.split("?").slice(1).join("?"));
    const caller = await admit(route, request, query, ctx, trail);
    if (ctx.stopping.aborted && route.scope !== "open")
      throw new HubError("SHUTTING_DOWN", "The hub is stopping; repeat in a moment.");
    if (route.counted && caller !== null) await limits.countCall(caller, request, response);
    return route.serve(callOf({ route, request, response, query, caller, limits, trail }, ctx), ctx);
  };
  return async (request, response) => {
    nameRoute(request, route.path);
    const trail = audit.begin(route, request);
    let answer: Answer;
    try {
      answer = await answerTo(request, response, trail);
    } catch (error) {
      await trail.refused(error);
      throw error;
    }
    await trail.served(answer);
    await sendAnswer(answer, request, response);
  };
}

async function admit(
  route: Route,
  request: Request,
  query: URLSearchParams,
  ctx: HttpContext,
  trail: Trail,
): Promise<Caller | null> {
  if (route.scope === "open") return null;
  const { signIn, clock, origins } = ctx;
  if (route.scope === "local or read" && origins.isLocal(request)) return null;
  const wants = route.scope === "person" ? "token" : "key";
  const caller = await authenticate(request, query, {
    ...{ keys: ctx.store.keys, signIn, clock, origins, wants },
  });
  trail.by(caller);
  admitCaller(caller, route.scope);
  return caller;
}

function admitCaller(caller: Caller, scope: Exclude<Admission, "open">): void {
  if (scope !== "person") requireScope(caller, scope === "local or read" ? "read" : scope);
  else if (caller.person === null)
    throw new HubError("AUTHORIZATION_FAILED", "This is for people who logged in, not for keys.");
}

interface Arrival {
  route: Route;
  request: Request;
  response: Response;
  query: URLSearchParams;
  caller: Caller | null;
  limits: RateLimits;
  trail: Trail;
}

function callOf({ route, request, response, query, caller, limits, trail }: Arrival, ctx: HttpContext): Call {
  let body: Promise<Record<string, unknown>> | undefined;
  const readBody = (): Promise<Record<string, unknown>> =>
    (body ??= readJson(request, route.bodyForm.form === "json" ? route.bodyForm.maxBytes : 0).then((read) => {
      trail.asks(given, read);
      return read;
    }));
  const given = Object.fromEntries([...query].filter(([, value]) => value !== ""));
  const params = Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [name, String(value)]),
  );
  const once = onceFor({ route, request, caller, params, query: given, readBody }, ctx);
  return {
    caller,
    params,
    query: given,
    readBody,
    once: async (place, work) => {
      await trail.begins(place);
      return once(place, work);
    },
    audited: trail.written,
    by: (who) => trail.by(who),
    countSend: async (sessionId) => {
      if (caller !== null) await limits.countSend(caller, sessionId);
    },
    request,
    response,
  };
}
