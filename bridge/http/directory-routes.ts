/** The sync of a client directory at the paths its callers know. */
import { Router, type Request } from "express";
import type { Method } from "../methods/method.ts";
import { argumentParsers, argumentsOf } from "./arguments.ts";
import { requireRole, type Auth } from "./auth.ts";

const PATH = "/api/users/sync-wispro-all";

/** The same methods under other names: one behaviour, two doors. */
export function directoryRoutes({
  auth,
  start,
  status,
  jobs,
  retry,
}: {
  auth: Auth;
  start: Method;
  status: Method;
  jobs: Method;
  retry: Method;
}): Router {
  const router = Router();
  const serve = (verb: "get" | "post", path: string, method: Method): void => {
    router[verb](
      path,
      (request, _response, next) => {
        requireRole(auth.callerOf(request), method.role);
        next();
      },
      ...argumentParsers,
      async (request: Request, response) => {
        const { name: caller } = auth.callerOf(request);
        response.setHeader("Cache-Control", "no-store");
        response.json(await method.run(argumentsOf(request), { caller, idempotencyKey: null }));
      },
    );
  };
  serve("post", PATH, start);
  serve("get", `${PATH}/status`, status);
  serve("get", `${PATH}/jobs`, jobs);
  serve("post", `${PATH}/retry`, retry);
  return router;
}
