/** The listening socket: slow and endless requests are cut here, before any of our code sees them. */
import { createServer, type RequestListener, type Server } from "node:http";
import { BridgeStartError } from "../errors.ts";
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
    const refuse = (cause: Error): void => reject(inPlainWords(cause, { host, port }));
    server.once("error", refuse);
    server.listen(port, host, () => {
      server.off("error", refuse);
      resolve();
    });
  });
  let stopped: Promise<void> | undefined;
  return {
    url: urlAt(host, portOf(server)),
    stop: () => (stopped ??= stop(server)),
  };
}

/** What an operator got wrong is no fault of ours. */
function inPlainWords(cause: Error, { host, port }: { host: string; port: number }): Error {
  const code = "code" in cause ? String(cause.code) : "";
  const why = PROBLEMS[code]?.(host, port);
  return why === undefined ? cause : new BridgeStartError(`${why} (${code}).`, { cause });
}

const noAddress = (host: string): string =>
  `${host} is no address of this machine: set BRIDGE_HOST to 127.0.0.1, or to one that it has`;
const PROBLEMS: Record<string, (host: string, port: number) => string> = {
  EADDRINUSE: (host, port) =>
    `Port ${port} of ${host} is taken: end what listens there, perhaps another bridge, or choose another BRIDGE_PORT`,
  EACCES: (_host, port) => `This user may not listen at port ${port}: choose a BRIDGE_PORT above 1023`,
  EADDRNOTAVAIL: noAddress,
  EINVAL: noAddress,
  ENOTFOUND: noAddress,
  EAI_AGAIN: noAddress,
};

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
