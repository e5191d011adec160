/**
 * The bridge's place among the hub's endpoints: told everything, in order per chat, signed with its secret. Without it the bridge
 * still learns all from the feed, minutes later; so a hub that refuses is reported with what to do, and everything else goes on.
 */
import { adviceOnHub } from "./advice.ts";
import type { Clock } from "./clock.ts";
import { HubUnavailable } from "./errors.ts";
import type { HubClient, Subscribed } from "./hub-client.ts";
import type { Log } from "./log.ts";
import type { BridgeState } from "./state/bridge-state.ts";

export interface Subscription {
  /** Tries now and, until it has its place, again and again; nobody waits for it. */
  start(): void;
  /** Looks whether it still has its place, and takes it again where it was deleted, disabled, told less or signed otherwise. */
  renew(): void;
  /** A webhook came whose signature is wrong: looks now, but for a minute after each look. */
  mistrust(): void;
  stop(): void;
}

const PAUSE_MS = 30_000;
/** After refusals the pause doubles so often: from a minute to a quarter of an hour, as the hub keeps a record of each. */
const MOST_DOUBLED = 5;
/** What was signed before a look may still be under way. */
const LOOKED_MS = 60_000;
/** The same advice is given again after so long. */
const ADVISED_MS = 60 * 60_000;
/** A hub that was restored from a backup may have one of the last addresses again. */
const REMEMBERED_URLS = 5;

export function createSubscription({
  hub,
  url,
  secrets,
  state,
  clock,
  log,
  pauseMs = PAUSE_MS,
  lookedMs = LOOKED_MS,
}: {
  hub: Pick<HubClient, "subscribe">;
  /** Where the hub reaches the bridge's webhook. */
  url: string;
  /** Accepted now; the first is the one that stays. */
  secrets: string[];
  state: BridgeState;
  clock: Clock;
  log: Log;
  /** Between two tries while the hub is away. */
  pauseMs?: number;
  lookedMs?: number;
}): Subscription {
  let timer: NodeJS.Timeout | undefined;
  /** Before it the CRM may not be open. */
  let isStarted = false;
  let isStopped = false;
  /** A try is under way, or waits for its time. */
  let isTrying = false;
  /** What was told of the place last; null: that there is none. */
  let standing: "ready" | "paused" | null = null;
  /** In a row. */
  let refusals = 0;
  let lookedAt = -Infinity;
  /** This look is for a wrong signature. */
  let isMistrusted = false;
  const told = new Set<string>();
  const advised = new Map<string, number>();

  const tellOnce = (kind: string, tell: () => void): void => {
    if (told.has(kind)) return;
    told.add(kind);
    tell();
  };

  const tell = (error: unknown): void => {
    standing = null;
    if (!(error instanceof HubUnavailable)) {
      tellOnce("broken", () => log.error({ err: error }, "subscription.broken"));
      return;
    }
    const { status, code, message } = error;
    tellOnce(`${status} ${code}`, () =>
      log.warn({ url, code, error: message, advice: adviceOn(error) }, "subscription.refused"),
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

  const advise = (endpointId: string, advice: string): void => {
    const now = performance.now();
    if (now - (advised.get(advice) ?? -Infinity) < ADVISED_MS) return;
    advised.set(advice, now);
    log.warn({ url, endpointId, advice }, "subscription.advice");
  };

  const remember = async (id: string): Promise<void> => {
    const { endpoint: known } = state.read();
    const lookedAt = clock.now().toISOString();
    if (known?.id === id && known.urls[0] === url) {
      state.note((data) => {
        data.endpoint = { ...known, lookedAt };
      });
      return;
    }
    const former = known?.id === id ? known.urls.filter((one) => one !== url) : [];
    await state.update((data) => {
      data.endpoint = { id, urls: [url, ...former].slice(0, REMEMBERED_URLS), lookedAt };
    });
  };

  const succeeded = ({ endpointId, done, advice, isPaused }: Subscribed): void => {
    refusals = 0;
    told.clear();
    const outcome = done.length === 0 ? "unchanged" : done.join(", ");
    const now = isPaused ? "paused" : "ready";
    if (standing !== now || done.length > 0) log.info({ url, endpointId, outcome }, `subscription.${now}`);
    standing = now;
    const isUnexplained = isMistrusted && done.length === 0 && advice.length === 0;
    for (const text of isUnexplained ? [WRONG_SIGNATURES] : advice) advise(endpointId, text);
    isMistrusted = false;
  };

  const attempt = async (): Promise<void> => {
    isTrying = true;
    try {
      const subscribed = await hub.subscribe({ url, secrets, known: state.read().endpoint });
      if (subscribed.isSettled) await remember(subscribed.endpointId);
      isTrying = false;
      lookedAt = performance.now();
      succeeded(subscribed);
    } catch (error) {
      if (!isStopped) timer = setTimeout(() => void attempt(), pauseAfter(error)).unref();
    }
  };

  return {
    start: () => {
      isStarted = true;
      if (!isTrying) void attempt();
    },
    renew: () => {
      if (isStarted && !isTrying && !isStopped) void attempt();
    },
    mistrust: () => {
      if (!isStarted || isTrying || isStopped || performance.now() - lookedAt < lookedMs) return;
      isMistrusted = true;
      void attempt();
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

const isRefusal = ({ status }: HubUnavailable): boolean =>
  status !== null && status >= 400 && status < 500 && status !== 429;

/** A hub that takes no endpoint says so in two ways: the key may not, or the address may not. */
const BY_CODE: Record<string, string> = {
  AUTHORIZATION_FAILED:
    "Give the bridge's API key the scope webhooks, or add the endpoint yourself with the events *.",
  VALIDATION_ERROR:
    "Let the hub reach this address (HUB_WEBHOOK_ALLOW_CIDRS at the hub), or set BRIDGE_PUBLIC_URL to one that it reaches.",
};

function adviceOn(error: HubUnavailable): string {
  const own = BY_CODE[error.code ?? ""];
  if (own !== undefined)
    return `${own} It is tried again by itself; until then events arrive by the feed, minutes later.`;
  const advice = adviceOnHub(error);
  return `${advice === null ? "" : `${advice} `}It is tried again by itself.`;
}

const WRONG_SIGNATURES =
  "Webhooks come whose signature is wrong, though the bridge's endpoint at the hub is as it should be. Where another endpoint of a " +
  "hub has this URL (GET /api/endpoints), delete it; where the hub does not tell `secretFingerprints`, give the endpoint the secret " +
  "of BRIDGE_WEBHOOK_SECRET (POST /api/endpoints/{id}/rotate-secret); else somebody who is not the hub calls.";
