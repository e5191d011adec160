/** Rejections that the library leaves unhandled when a socket goes away under one of its inner handlers. */
import { statusOf } from "./disconnect.ts";
import { GenerationEnded } from "./generation.ts";

const CONNECTION_CLOSED = 428;

/** True for those: counted and logged, they must not end the process. Anything else unhandled is a bug and must. */
export const isBaileysSocketError = (reason: unknown): boolean =>
  reason instanceof GenerationEnded || (reason instanceof Error && statusOf(reason) === CONNECTION_CLOSED);
