/** `/api/method/<app>.<function>`: whitelisted methods called as on a Frappe site, answers wrapped in `message`. */
import { Router, type Request, type Response } from "express";
import { BridgeError } from "../errors.ts";
import type { Method } from "../methods/method.ts";
import { argumentParsers, argumentsOf } from "./arguments.ts";
import { requireRole, type Auth, type Caller } from "./auth.ts";

export interface MethodRoutesParts {
  app: string;
  methods: Method[];
  auth: Auth;
}

export function methodRoutes({ app, methods, auth }: MethodRoutesParts): Router {
  const byName = new Map(methods.map((one) => [`${app}.${one.name}`, one]));
  const router = Router();

  router.get("/frappe.ping", (_request, response) => void response.json({ message: "pong" }));
  router.get("/frappe.auth.get_logged_user", (request, response) => {
    response.json({ message: auth.callerOf(request).name });
  });
  // The key is asked for before the body is read: strangers must not make the bridge parse.
  router.all("/:name", (request, response, next) => {
    callers.set(request, auth.callerOf(request));
    next();
  });
  router.all("/:name", ...argumentParsers, async (request: Request<{ name: string }>, response: Response) => {
    const method = byName.get(request.params.name);
    const caller = callers.get(request);
    if (method === undefined || caller === undefined)
      throw new BridgeError("METHOD_NOT_FOUND", "There is no method of this name.");
    requireRole(caller, method.role);
    requireVerb(request.method, method);
    const result = await method.run(argumentsOf(request), {
      caller: caller.name,
      idempotencyKey: request.get("Idempotency-Key") ?? null,
      hasLeft: () => response.destroyed,
    });
    response.setHeader("Cache-Control", "no-store");
    response.json({ message: result });
  });
  return router;
}

const callers = new WeakMap<object, Caller>();

/** A link that someone follows, or a crawler, must not be able to change anything. */
function requireVerb(verb: string, { isSafe }: Method): void {
  if (verb === "POST" || (verb === "GET" && isSafe)) return;
  throw new BridgeError("FORBIDDEN", "Call this method with POST.");
}
