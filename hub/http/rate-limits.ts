/** How often a key may call, and how often it may send: counted per minute, told in the headers, refused with 429. */
import type { Request, Response } from "express";
import { MemoryStore, rateLimit, type Options } from "express-rate-limit";
import { HubError } from "../core/errors.ts";
import type { Caller } from "./auth.ts";

const MINUTE_MS = 60_000;

export interface RateLimits {
  /** Counts one call of this key. @throws HubError `RATE_LIMIT_EXCEEDED` */
  countCall(caller: Caller, request: Request, response: Response): Promise<void>;
  /** Counts one send of this key in this session. @throws HubError `MESSAGE_RATE_LIMIT_EXCEEDED` */
  countSend(caller: Caller, sessionId: string): Promise<void>;
}

export function createRateLimits(): RateLimits {
  const callers = new WeakMap<Request, Caller>();
  const limiter = rateLimit({
    windowMs: MINUTE_MS,
    limit: (request) => callers.get(request)?.key.settings.ratePerMinute ?? 1,
    keyGenerator: (request) => callers.get(request)?.key.id ?? "",
    standardHeaders: "draft-6",
    legacyHeaders: true,
    handler: (_request, _response, next) => {
      next(new HubError("RATE_LIMIT_EXCEEDED", "This API key reached its rate limit; wait and repeat."));
    },
    validate: false, // its checks are about addresses behind proxies; the key is the identity here
  });
  const sends = new MemoryStore();
  sends.init({ windowMs: MINUTE_MS } as Options); // the store reads nothing else of the options

  return {
    countCall: (caller, request, response) => {
      callers.set(request, caller);
      return new Promise((resolve, reject) => {
        void limiter(request, response, (error?: unknown) => {
          if (error === undefined) resolve();
          else reject(error instanceof Error ? error : new Error("the rate limit failed", { cause: error }));
        });
      });
    },
    countSend: async ({ key }, sessionId) => {
      const { totalHits, resetTime } = await sends.increment(`${key.id} ${sessionId}`);
      if (totalHits <= key.settings.sendPerMinute) return;
      const waitMs = (resetTime?.getTime() ?? Date.now()) - Date.now();
      throw new HubError(
        "MESSAGE_RATE_LIMIT_EXCEEDED",
        "This session reached its sending rate limit; wait and repeat.",
        {
          retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
        },
      );
    },
  };
}
