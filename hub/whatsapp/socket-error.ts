/** Rejections that the library leaves unhandled when a socket goes away under one of its inner handlers. */
import { statusOf } from "./disconnect.ts";
import { GenerationEnded } from "./generation.ts";

const CONNECTION_CLOSED = 428;

/** How the operating system says that the other side is gone: a write that was under way rejects with these, bare. */
const GONE = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTCONN",
  "EPIPE",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END",
  "ETIMEDOUT",
]);

const isGone = (error: Error): boolean =>
  "code" in error && typeof error.code === "string" && GONE.has(error.code);

/** True for those: counted and logged, they must not end the process. Anything else unhandled is a bug and must. */
export const isBaileysSocketError = (reason: unknown): boolean =>
  reason instanceof GenerationEnded ||
  (reason instanceof Error && (statusOf(reason) === CONNECTION_CLOSED || isGone(reason)));
