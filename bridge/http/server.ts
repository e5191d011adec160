/** The listening socket: slow and endless requests are cut here, before any of our code sees them. */
import { createServer, type RequestListener, type Server } from "node:http";
import { urlAt } from "./host.ts";

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16 * 1024,
  connectionsCheckingInterval: 1_000,
  requireHostHeader: true,
};
const MAX_HEADERS = 100;
const MAX_CONNECTIONS = 2_000;

/** What is still being answered when the bridge stops may take this long. */
const STOP_GRACE_MS = 5_000;

export interface Listening {
  url: string;
  /** Takes no new connection, lets running answers end, then cuts. */
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
  const server = createServer(LIMITS, app);
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  let stopped: Promise<void> | undefined;
  return {
    url: urlAt(host, portOf(server)),
    stop: () => (stopped ??= stop(server)),
  };
}

function portOf(server: Server): number {
  const address = server.address();
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
