/** The door for Express. Mount it before any body parser: a body that was parsed is not the bytes that were signed. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { serve, type Dress } from "./node.ts";
import type { Receiver } from "./receive.ts";

type ExpressRequest = IncomingMessage & { body?: unknown };
/** What Express calls a RequestHandler, without its types: who mounts another door needs none of them. */
type ExpressHandler = (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

export function expressDoor(receiver: Receiver, options: { dress?: Dress } = {}): ExpressHandler {
  return (request, response, next) => {
    if (isRead(request)) {
      next(new Error("the webhook's body was read before its door; mount the door before the body parsers"));
      return;
    }
    serve(receiver, { request, response, ...options }).catch(next);
  };
}

const isRead = (request: ExpressRequest): boolean =>
  request.readableEnded || request.readableDidRead || request.body !== undefined;
