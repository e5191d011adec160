/** The whole HTTP surface, top to bottom. Dialects, realtime and the console find their place in this list. */
import express, { type Express } from "express";
import { logAccess } from "./access-log.ts";
import { cleanPaths } from "./clean-path.ts";
import type { HttpContext } from "./context.ts";
import { translateErrors } from "./errors.ts";
import { mountRoutes } from "./mount.ts";
import { nameRequest } from "./request-id.ts";
import { allRoutes } from "./routes/index.ts";
import { secureHeaders } from "./security-headers.ts";
import { cutUnreadBody } from "./unread-body.ts";

export function createApp(ctx: HttpContext): Express {
  const now = (): Date => ctx.clock.now();
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false); // an answer of 304 is a failure to clients that take only 200 and 201
  app.set("query parser", false); // routes parse the query themselves, through their schema
  app.set("trust proxy", false);

  app.use(nameRequest(now));
  app.use(secureHeaders);
  app.use(logAccess(ctx.log));
  app.use(cutUnreadBody);
  app.use(cleanPaths);
  mountRoutes(app, allRoutes, ctx);
  app.use(translateErrors({ log: ctx.log, now }));
  return app;
}
