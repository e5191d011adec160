/** Calls of the library on a connection that may be gone: every failure gets a name the caller can act on. */
import type { ErrorCode } from "../contract/errors.ts";
import { HubError } from "../core/errors.ts";

export interface Asking {
  /** Runs a call of the library; `code` is what its failure means while the connection stands. */
  ask<T>(what: string, code: ErrorCode, call: () => Promise<T>): Promise<T>;
  /** As `ask`, for what is only done when it has left: the gate holds frames back until the disk is ready. */
  tell<T>(what: string, call: () => Promise<T>): Promise<T>;
}

export function createAsking({
  isGone,
  flush,
}: {
  isGone: () => boolean;
  flush: () => Promise<void>;
}): Asking {
  const asking: Asking = {
    ask: async (what, code, call) => {
      if (isGone()) throw notConnected();
      try {
        return await call();
      } catch (cause) {
        if (cause instanceof HubError) throw cause;
        if (isGone()) throw notConnected(cause);
        throw new HubError(code, `WhatsApp did not ${what}.`, { cause, ...detailsOf(cause) });
      }
    },
    tell: (what, call) =>
      asking.ask(what, "WHATSAPP_ERROR", async () => {
        const answer = await call();
        await flush();
        return answer;
      }),
  };
  return asking;
}

const notConnected = (cause?: unknown): HubError =>
  new HubError("SESSION_NOT_CONNECTED", "The connection to WhatsApp is gone.", { cause });

/** Numbers of WhatsApp ("no picture", "not for you") lie in the error's `data`. */
function dataOf(cause: unknown): unknown {
  return cause instanceof Error && "data" in cause ? cause.data : undefined;
}

function detailsOf(cause: unknown): { details?: Record<string, unknown> } {
  const data = dataOf(cause);
  return typeof data === "number" ? { details: { whatsappCode: data } } : {};
}

/** WhatsApp answered that there is nothing, or nothing for us. */
export const isRefusal = (error: unknown): boolean => {
  const code = error instanceof HubError ? dataOf(error.cause) : undefined;
  return code === 401 || code === 403 || code === 404;
};
