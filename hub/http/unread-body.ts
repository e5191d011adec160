/** An answer given before the whole body arrived (a refusal): the caller may read it, but not go on sending for ever. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Cutting at once would reset the connection, and the answer itself could be lost: the rest is drained for so long. */
const GRACE_MS = 1000;

export function cutUnreadBody(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  response.on("finish", () => {
    if (request.complete) return;
    request.resume();
    setTimeout(() => {
      if (!request.complete) request.socket.destroy();
    }, GRACE_MS).unref();
  });
  next();
}
