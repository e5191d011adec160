/** The listening socket: slow, endless and malformed requests are cut here, before any of our code sees them. */
import { createServer, STATUS_CODES, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { newId } from "../core/ids.ts";
import { ownUrl } from "./own-url.ts";

const LIMITS = {
  headersTimeout: 10_000,
  /** Long enough for an upload; JSON bodies have a shorter deadline of their own. */
  requestTimeout: 300_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16 * 1024,
  maxHeadersCount: 100,
  maxConnections: 2_000,
  connectionsCheckingInterval: 1_000,
};

/** What is still being answered when the hub stops may take this long. */
const STOP_GRACE_MS = 5_000;

export interface Listening {
  /** As this machine reaches it. */
  url: string;
  port: number;
  /** The raw server, for upgrades to WebSocket. */
  server: Server;
  /** Takes no new connection, lets running answers end, then cuts. Safe to call twice. */
  stop(): Promise<void>;
}

export async function listen({
  app,
  host,
  port,
}: {
  app: RequestListener;
  host: string;
  port: number;
}): Promise<Listening> {
  const { maxHeadersCount, maxConnections, ...options } = LIMITS;
  const server = createServer({ ...options, requireHostHeader: true }, app);
  server.maxHeadersCount = maxHeadersCount;
  server.maxConnections = maxConnections;
  server.on("clientError", refuse);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const bound = portOf(server);
  let stopped: Promise<void> | undefined;
  return {
    url: ownUrl(host, bound),
    port: bound,
    server,
    stop: () => (stopped ??= stop(server)),
  };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Requests that are no HTTP: answered in the contract's shape, and the connection is given up. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusOfParse(error.code);
  const text = STATUS_CODES[status] ?? "Bad Request";
  const now = new Date();
  const body = JSON.stringify({
    success: false,
    error: text,
    message: text,
    code: "VALIDATION_ERROR",
    timestamp: now.toISOString(),
  });
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `X-Content-Type-Options: nosniff\r\nX-Request-Id: ${newId("req", now)}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function statusOfParse(code: string | undefined): 400 | 408 | 431 {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
}
