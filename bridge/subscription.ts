/**
 * The bridge's place among the hub's endpoints: told everything, in order per chat. Without it the bridge still learns all from
 * the feed, minutes later; so a hub that refuses is reported with what to do, and everything else goes on.
 */
import { HubUnavailable } from "./errors.ts";
import type { HubClient } from "./hub-client.ts";
import type { Log } from "./log.ts";

export interface Subscription {
  /** Tries now and, while the hub is away, again and again; nobody waits for it. */
  start(): void;
  stop(): void;
}

const PAUSE_MS = 30_000;

export function createSubscription({
  hub,
  url,
  secret,
  log,
}: {
  hub: Pick<HubClient, "subscribe">;
  /** Where the hub reaches the bridge's webhook. */
  url: string;
  secret: string;
  log: Log;
}): Subscription {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const attempt = async (): Promise<void> => {
    try {
      const outcome = await hub.subscribe({ url, secret });
      log.info({ url, outcome }, "subscription.ready");
    } catch (error) {
      if (!(error instanceof HubUnavailable)) throw error;
      const isRefused =
        error.status !== null && error.status >= 400 && error.status < 500 && error.status !== 429;
      if (isRefused)
        log.warn({ url, code: error.code, error: error.message, advice: ADVICE }, "subscription.refused");
      else if (!isStopped) timer = setTimeout(() => void retry(), PAUSE_MS).unref();
    }
  };
  const retry = (): Promise<void> =>
    attempt().catch((error: unknown) => log.error({ err: error }, "subscription.broken"));

  return {
    start: () => void retry(),
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

const ADVICE =
  "Give the bridge's API key the scope webhooks and let the hub reach this address (HUB_WEBHOOK_ALLOW_CIDRS), or add the " +
  "endpoint yourself with the events *. Until then events arrive by the feed, minutes later.";
