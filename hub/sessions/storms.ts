/**
 * Storms of messages that cannot be decrypted. Each message is counted, a storm is a line of its session's timeline when it
 * begins and when it is over, and people are called. Nothing is written for a single message: counts are saved every ten
 * seconds, however many come.
 */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { SessionStore } from "../core/store.ts";
import {
  addUnreadable,
  countsOf,
  failedOf,
  isCalm,
  isStorm,
  noneUnreadable,
  UNREADABLE_KINDS,
  withFailure,
  type Failure,
  type UnreadableCounts,
  type UnreadableNews,
} from "../core/unreadable.ts";

export interface Storms {
  heard(sessionId: string, news: UnreadableNews): void;
  isStormy(sessionId: string): boolean;
  /** Saves the counts and sees which storms are over; done every ten seconds. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

export interface StormsParts {
  store: Pick<SessionStore, "note">;
  /** Adds to the figures of a session. */
  count: (sessionId: string, counts: UnreadableCounts) => void;
  onBegan: (sessionId: string) => void;
  clock: Clock;
  log: Log;
}

interface Weather {
  recent: Failure[];
  /** Not saved yet. */
  unsaved: UnreadableCounts;
  storm: { since: number; counts: UnreadableCounts } | null;
}

const LOOK_MS = 10_000;

/** Type of the lines of the timeline. */
const LINE = { began: "unreadable_storm", over: "unreadable_storm_over" } as const;
const REASON = "messages_unreadable";

export function createStorms({ store, count, onBegan, clock, log }: StormsParts): Storms {
  const weathers = new Map<string, Weather>();
  let work: Promise<void> = Promise.resolve();

  function weatherOf(sessionId: string): Weather {
    const known = weathers.get(sessionId);
    if (known !== undefined) return known;
    const weather: Weather = { recent: [], unsaved: noneUnreadable, storm: null };
    weathers.set(sessionId, weather);
    return weather;
  }

  function add(weather: Weather, counts: UnreadableCounts): void {
    weather.unsaved = addUnreadable(weather.unsaved, counts);
    if (weather.storm !== null) weather.storm.counts = addUnreadable(weather.storm.counts, counts);
  }

  function note(sessionId: string, type: string, text: string): void {
    work = work
      .then(() => store.note(sessionId, { type, text, reason: REASON }))
      .catch((err: unknown) => log.warn({ sessionId, type, err }, "storm.not_noted"));
  }

  function begin(sessionId: string, weather: Weather, now: number): void {
    const { recent } = weather;
    const since = recent[0]?.at ?? now;
    weather.storm = { since, counts: countsOf(recent) };
    weather.unsaved = { ...weather.unsaved, storms: weather.unsaved.storms + 1 };
    log.warn({ sessionId, failed: weather.storm.counts.failed }, "storm.began");
    note(
      sessionId,
      LINE.began,
      `${told(weather.storm.counts)} in ${secondsOf(now - since)} s; each is asked for again, and its place is kept.`,
    );
    onBegan(sessionId);
  }

  function endIfCalm(sessionId: string, weather: Weather, now: number): void {
    const { storm, recent } = weather;
    if (storm === null || !isCalm(recent, now)) return;
    weather.storm = null;
    const seconds = secondsOf((recent.at(-1)?.at ?? now) - storm.since);
    log.info({ sessionId, seconds, failed: storm.counts.failed, came: storm.counts.came }, "storm.over");
    note(
      sessionId,
      LINE.over,
      `${told(storm.counts)} in ${seconds} s; ${storm.counts.came} of them came after all so far.`,
    );
  }

  function lookNow(): void {
    const now = clock.now().getTime();
    for (const [sessionId, weather] of weathers) {
      endIfCalm(sessionId, weather, now);
      const { unsaved } = weather;
      weather.unsaved = noneUnreadable;
      if (unsaved !== noneUnreadable) count(sessionId, unsaved);
      else if (weather.storm === null && isCalm(weather.recent, now)) weathers.delete(sessionId);
    }
  }

  const timer = setInterval(lookNow, LOOK_MS);
  timer.unref();

  return {
    heard: (sessionId, news) => {
      const weather = weatherOf(sessionId);
      if (news.type === "came") {
        add(weather, { ...noneUnreadable, came: 1 });
        return;
      }
      const now = clock.now().getTime();
      const failure: Failure = { at: now, kind: news.kind };
      weather.recent = withFailure(weather.recent, failure);
      add(weather, countsOf([failure]));
      if (weather.storm === null && isStorm(weather.recent, now)) begin(sessionId, weather, now);
    },
    isStormy: (sessionId) => (weathers.get(sessionId)?.storm ?? null) !== null,
    look: () => {
      lookNow();
      return work;
    },
    stop: async () => {
      clearInterval(timer);
      lookNow();
      await work;
    },
  };
}

const secondsOf = (ms: number): number => Math.round(ms / 1000);

const told = (counts: UnreadableCounts): string => {
  const kinds = UNREADABLE_KINDS.filter((kind) => counts.failed[kind] > 0);
  const which = kinds.map((kind) => `${kind} ${counts.failed[kind]}`).join(", ");
  return `${failedOf(counts)} messages could not be decrypted (${which})`;
};
