/** What is answered while the hub still starts: the port is open before its disk is. */
import type { RequestListener } from "node:http";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { storedFailure } from "./errors.ts";

export const answerStarting =
  (clock: Clock): RequestListener =>
  (_request, response) => {
    const error = new HubError("OVERLOADED", "The hub is starting; repeat in a moment.");
    const { status, body } = storedFailure(error, clock.now());
    const headers = { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store" };
    response.writeHead(status, { ...headers, "Retry-After": "1" }).end(body);
  };
