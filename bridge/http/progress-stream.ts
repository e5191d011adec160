/** Progress of syncs as it happens, as server-sent events. One reader that does not read is let go, not waited for. */
import { Router, type Response } from "express";
import { BridgeError } from "../errors.ts";
import type { Auth } from "./auth.ts";
import { queryOf } from "./arguments.ts";

const HEARTBEAT_MS = 15_000;
const MAX_STREAMS = 100;
/** What may wait for a reader before it is cut off. */
const MAX_BUFFERED = 256 * 1024;

export interface ProgressSource {
  onProgress(listener: (progress: { sessionId: string }) => void): () => void;
}

export interface ProgressStream {
  router: Router;
  /** Ends every stream, so that the server can stop. */
  stop(): void;
}

export function progressStream({ source, auth }: { source: ProgressSource; auth: Auth }): ProgressStream {
  const open = new Set<Response>();
  const router = Router();
  router.get("/api/sync/events", (request, response) => {
    auth.callerOf(request);
    if (open.size >= MAX_STREAMS) throw new BridgeError("UNAVAILABLE", "Too many progress streams are open.");
    const { session } = queryOf(request);
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
    response.write(": open\n\n");
    open.add(response);
    const write = (text: string): void => {
      if (response.writableLength > MAX_BUFFERED) response.destroy();
      else response.write(text);
    };
    const leave = source.onProgress((progress) => {
      if (session === undefined || session === progress.sessionId)
        write(`event: progress\ndata: ${JSON.stringify(progress)}\n\n`);
    });
    const heartbeat = setInterval(() => write(": alive\n\n"), HEARTBEAT_MS);
    response.on("close", () => {
      clearInterval(heartbeat);
      leave();
      open.delete(response);
    });
  });
  return {
    router,
    stop: () => {
      for (const response of open) response.end();
    },
  };
}
