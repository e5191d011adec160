/** One line per answered request: the route's pattern, never its URL, because paths hold phone numbers. */
import type { IncomingMessage } from "node:http";
import { pinoHttp, type HttpLogger } from "pino-http";
import { requestIdOf } from "./request-id.ts";

const patterns = new WeakMap<IncomingMessage, string>();

/** Called by the router once it knows which route serves the request. */
export const nameRoute = (request: IncomingMessage, pattern: string): void =>
  void patterns.set(request, pattern);

const NOISE = new Set(["/health", "/livez", "/readyz"]);

export function logAccess(log: HttpLogger["logger"]): HttpLogger {
  return pinoHttp({
    logger: log,
    genReqId: requestIdOf,
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: "requestId", responseTime: "ms" },
    serializers: { req: () => undefined, res: () => undefined, err: () => undefined },
    customLogLevel: (request, response) => {
      if (response.statusCode >= 500) return "error";
      return NOISE.has(patterns.get(request) ?? "") ? "debug" : "info";
    },
    customSuccessMessage: () => "http.answered",
    customErrorMessage: () => "http.answered",
    customSuccessObject: (request, response, value: { ms: number }) =>
      facts(request, response.statusCode, value),
    customErrorObject: (request, response, _error, value: { ms: number }) =>
      facts(request, response.statusCode, value),
  });
}

const facts = (request: IncomingMessage, status: number, { ms }: { ms: number }) => ({
  method: request.method,
  route: patterns.get(request) ?? "none",
  status,
  ms,
});
