/** The whole HTTP surface of the bridge, top to bottom. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import { BridgeError } from "../errors.ts";
import type { Log } from "../log.ts";
import { failureOf, sendFailure, type FailureShape } from "./answers.ts";
import { cutUnreadBody, openRequest, requestIdOf } from "./request.ts";

/** Routers in the order in which they are asked, each under its path. */
export interface Surface {
  /** Before all others: it needs the bytes as they came. */
  webhooks: RequestHandler[];
  methods: RequestHandler[];
  resources: RequestHandler[];
  plain: RequestHandler[];
}

export function createApp({ surface, log }: { surface: Surface; log: Log }): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.set("query parser", false); // routes parse the query themselves
  app.set("trust proxy", false);

  app.use(openRequest);
  app.use(cutUnreadBody);
  app.use(...surface.webhooks);
  app.use("/api/method", ...surface.methods);
  app.use("/api/resource", ...surface.resources);
  app.use(...surface.plain);
  app.use((request) => {
    throw new BridgeError("METHOD_NOT_FOUND", `There is nothing at this path for ${request.method}.`);
  });
  app.use(translateErrors(log));
  return app;
}

/** The last middleware: every failure of every route ends here. */
function translateErrors(log: Log): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    const failure = failureOf(thrown);
    if (failure.status === 500) log.error({ requestId: requestIdOf(request), err: thrown }, "http.failed");
    if (response.headersSent) {
      next(thrown); // too late for an answer: Express cuts the connection
      return;
    }
    sendFailure(response, failure, shapeOf(request.url));
  };
}

/** Each family of callers reads a failure where it expects it. */
function shapeOf(url: string): FailureShape {
  if (url.startsWith("/api/method/")) return "method";
  return url.startsWith("/api/resource/") ? "resource" : "plain";
}
