/** One kept connection to an endpoint, opened by steps that are timed: a failure names the step at which it stopped. */
import net from "node:net";
import tls from "node:tls";
import type { Dispatcher } from "undici";
// The package's index would slip its own dispatcher under the global `fetch`, which Baileys uses.
import Client from "undici/lib/dispatcher/client.js";
import type { AddressGuard } from "../core/webhook-address.ts";

const CONNECT_MS = 3000;
/** An idle connection is let go after this, or earlier where the far end says when it will. */
const IDLE_MS = 30_000;
const HEADER_BLOCK_LIMIT = 16 * 1024;

export type Step = "dns" | "connect" | "tls" | "http";

/** Milliseconds each step took; absent where it was not needed, or not reached. */
export interface Steps {
  dns?: number;
  tcp?: number;
  tls?: number;
}

export interface Connection {
  /** Has carried a request before: the far end may close it just as the next one leaves. */
  isUsed: boolean;
  /** Of the last time it was opened. */
  steps: Steps;
  /** Where it stands, or where opening it failed. */
  step: Step;
  dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void;
  close(): void;
}

/**
 * The deadline over the whole exchange is the caller's, so the client's own timers are off. A connection that is being
 * opened when its caller gives up ends by `timeoutMs`. `trust` is what an endpoint with authorities of its own is trusted by.
 */
export function createConnection(
  { url, timeoutMs, trust }: { url: URL; timeoutMs: number; trust: tls.SecureContext | null },
  guard: AddressGuard,
): Connection {
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const address = {
    host,
    port: Number(url.port) || (isSecure ? 443 : 80),
    lookup: guard.lookupFor(url.href),
    keepAlive: true,
    noDelay: true,
  };
  const servername = net.isIP(host) === 0 ? { servername: host } : {};

  const open = (): net.Socket =>
    isSecure
      ? tls.connect({
          ...address,
          ...servername,
          ...(trust === null ? {} : { secureContext: trust }),
          minVersion: "TLSv1.2",
          rejectUnauthorized: true,
          ALPNProtocols: ["http/1.1"],
        })
      : net.connect(address);

  const client = new Client(url.origin, {
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: IDLE_MS,
    maxHeaderSize: HEADER_BLOCK_LIMIT,
    connect: (_options, callback) => {
      const startedAt = performance.now();
      const since = (): number => Math.round(performance.now() - startedAt);
      const steps: Steps = {};
      Object.assign(connection, { isUsed: false, steps, step: net.isIP(host) === 0 ? "dns" : "connect" });
      const socket = open();
      const giveUp = (): void => {
        socket.destroy(Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT" }));
      };
      const tooSlow = setTimeout(giveUp, CONNECT_MS);
      const overdue = setTimeout(giveUp, timeoutMs);
      const settle = (): void => {
        clearTimeout(tooSlow);
        clearTimeout(overdue);
        socket.off("error", failed);
      };
      const failed = (error: Error): void => {
        settle();
        callback(error, null);
      };
      const ready = (): void => {
        settle();
        connection.step = "http";
        callback(null, socket);
      };
      socket.once("error", failed);
      socket.once("lookup", (error: Error | null) => {
        steps.dns = since();
        if (error === null) connection.step = "connect";
      });
      socket.once("connect", () => {
        clearTimeout(tooSlow);
        steps.tcp = since() - (steps.dns ?? 0);
        if (isSecure) connection.step = "tls";
        else ready();
      });
      socket.once("secureConnect", () => {
        steps.tls = since() - (steps.dns ?? 0) - (steps.tcp ?? 0);
        ready();
      });
    },
  });

  const connection: Connection = {
    isUsed: false,
    steps: {},
    step: "http",
    dispatch: (request, handler) => void client.dispatch(request, handler),
    close: () => void client.destroy(),
  };
  return connection;
}
