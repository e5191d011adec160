/**
 * The bridge's place among the hub's endpoints: told everything, in order per chat. Without it the bridge still learns all from
 * the feed, minutes later; so a hub that refuses is reported with what to do, and everything else goes on.
 */
import { HubUnavailable } from "./errors.ts";
import type { HubClient } from "./hub-client.ts";
import type { Log } from "./log.ts";

export interface Subscription {
  /** Tries now and, until it has its place, again and again; nobody waits for it. */
  start(): void;
  /** Looks whether it still has its place, and takes it again where it was deleted, disabled or told less. */
  renew(): void;
  stop(): void;
}

const PAUSE_MS = 30_000;
/** After refusals the pause doubles so often: from a minute to a quarter of an hour, as the hub keeps a record of each. */
const MOST_DOUBLED = 5;

export function createSubscription({
  hub,
  url,
  secret,
  log,
  pauseMs = PAUSE_MS,
}: {
  hub: Pick<HubClient, "subscribe">;
  /** Where the hub reaches the bridge's webhook. */
  url: string;
  secret: string;
  log: Log;
  /** Between two tries while the hub is away. */
  pauseMs?: number;
}): Subscription {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  /** A try is under way, or waits for its time. */
  let isTrying = false;
  /** It was told that the place is there, and nothing else since. */
  let isReady = false;
  /** In a row. */
  let refusals = 0;
  const told = new Set<string>();

  const tellOnce = (kind: string, tell: () => void): void => {
    if (told.has(kind)) return;
    told.add(kind);
    tell();
  };

  const tell = (error: unknown): void => {
    isReady = false;
    if (!(error instanceof HubUnavailable)) {
      tellOnce("broken", () => log.error({ err: error }, "subscription.broken"));
      return;
    }
    const { status, code, message } = error;
    tellOnce(`${status} ${code}`, () =>
      log.warn({ url, code, error: message, advice: ADVICE }, "subscription.refused"),
    );
  };

  /** A refusal may pass too: it can be a proxy's while the hub starts, or the key's while somebody changes it. */
  const pauseAfter = (error: unknown): number => {
    if (error instanceof HubUnavailable && !isRefusal(error)) {
      refusals = 0;
      return pauseMs;
    }
    tell(error);
    refusals += 1;
    return pauseMs * 2 ** Math.min(refusals, MOST_DOUBLED);
  };

  const attempt = async (): Promise<void> => {
    isTrying = true;
    try {
      const outcome = await hub.subscribe({ url, secret });
      isTrying = false;
      refusals = 0;
      told.clear();
      if (!isReady || outcome !== "unchanged") log.info({ url, outcome }, "subscription.ready");
      isReady = true;
    } catch (error) {
      if (!isStopped) timer = setTimeout(() => void attempt(), pauseAfter(error)).unref();
    }
  };

  return {
    start: () => void attempt(),
    renew: () => {
      if (!isTrying && !isStopped) void attempt();
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

const isRefusal = ({ status }: HubUnavailable): boolean =>
  status !== null && status >= 400 && status < 500 && status !== 429;

const ADVICE =
  "Give the bridge's API key the scope webhooks and let the hub reach this address (HUB_WEBHOOK_ALLOW_CIDRS), or add the " +
  "endpoint yourself with the events *. It is tried again by itself; until then events arrive by the feed, minutes later.";
