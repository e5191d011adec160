/** What is answered while the hub still starts: the port is open before its disk is. */
import type { RequestListener } from "node:http";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { cleanPath } from "./clean-path.ts";
import { storedFailure } from "./errors.ts";
import { nameRequest } from "./request-id.ts";
import { secureHeaders } from "./security-headers.ts";

export interface StartingParts {
  clock: Clock;
  version: string;
  environment: string;
}

/** The process lives from here on, so whoever watches it must not end it; it is not ready for anything else. */
export function answerStarting({ clock, version, environment }: StartingParts): RequestListener {
  const now = (): Date => clock.now();
  const name = nameRequest(now);
  const message = "Inbox Hub is starting";
  const calm = { overloaded: false, putOff: [] };

  const aliveAt = (path: string): object | null => {
    if (path === "/livez") return { success: true, message };
    if (path !== "/health") return null;
    const about = { message, timestamp: now().toISOString(), version, environment };
    return { success: true, status: "ok", ...about, sessions: 0, connected: false, ...calm };
  };

  return (request, response) => {
    const { method, url = "/" } = request;
    name(request, response, () => undefined);
    secureHeaders(request, response, () => undefined);
    response.setHeader("Content-Type", "application/json; charset=utf-8");
    response.setHeader("Cache-Control", "no-store");
    const isRead = method === "GET" || method === "HEAD";
    const alive = isRead ? aliveAt(cleanPath(url).replace(/\?.*$/s, "")) : null;
    if (alive !== null) {
      response.writeHead(200).end(JSON.stringify(alive));
      return;
    }
    const { status, body } = storedFailure(
      new HubError("OVERLOADED", "The hub is starting; repeat in a moment."),
      now(),
    );
    response.writeHead(status, { "Retry-After": "1" }).end(body);
  };
}
