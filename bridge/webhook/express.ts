/** The door for Express. Mount it before any body parser: a body that was parsed is not the bytes that were signed. */
import type { Request, RequestHandler } from "express";
import { serve, type Dress } from "./node.ts";
import type { Receiver } from "./receive.ts";

export function expressDoor(receiver: Receiver, options: { dress?: Dress } = {}): RequestHandler {
  return (request, response, next) => {
    if (isRead(request)) {
      next(new Error("the webhook's body was read before its door; mount the door before the body parsers"));
      return;
    }
    serve(receiver, { request, response, ...options }).catch(next);
  };
}

const isRead = (request: Request): boolean =>
  request.readableEnded || request.readableDidRead || request.body !== undefined;
