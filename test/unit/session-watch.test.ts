/** What is decided about a connection that looks open. */
import { describe, expect, test } from "vitest";
import { usualGapMs } from "../../hub/sessions/usual-gap.ts";
import {
  decide,
  pinged,
  reopened,
  startWatch,
  WATCH_TIMING,
  type Act,
  type Seen,
  type Watch,
} from "../../hub/sessions/watch.ts";

const T = 1_700_000_000_000;
const MINUTE = 60_000;

interface Scene {
  /** Looks every five seconds until `ms` passed; what was done, with the second of each. */
  pass(ms: number, seen?: (now: number) => Partial<Seen>): string[];
  watch(): Watch;
  answersPing(answered: boolean): void;
  reopens(): void;
}

function aScene(): Scene {
  let now = T;
  let watch = startWatch(T);
  const name = (act: Act): string => (act.do === "cure" ? `${act.trouble}:${act.step}` : act.do);
  return {
    pass: (ms, seen = () => ({})) => {
      const done: string[] = [];
      for (const end = now + ms; now < end;) {
        now += WATCH_TIMING.lookMs;
        const decision = decide(watch, { ...quiet(now), ...seen(now) }, WATCH_TIMING);
        ({ watch } = decision);
        for (const act of decision.acts) if (act.do !== "ping") done.push(`${(now - T) / 1000} ${name(act)}`);
      }
      return done;
    },
    watch: () => watch,
    answersPing: (answered) => (watch = pinged(watch, answered)),
    reopens: () => (watch = reopened(watch, now)),
  };
}

/** Frames come, nothing else does. */
const quiet = (now: number): Seen => ({
  now,
  lastFrameAt: now,
  lastInboundAt: T,
  unstoredSince: null,
  holdingSince: null,
  isImporting: false,
  usualMs: 0,
  canAsk: true,
  mayRestart: true,
});

describe("an open connection", () => {
  test("is left alone while something comes in", () => {
    expect(aScene().pass(120 * MINUTE, (now) => ({ lastInboundAt: now }))).toEqual([]);
  });

  test("without a frame for 45 seconds is cut", () => {
    const scene = aScene();
    expect(scene.pass(45_000, () => ({ lastFrameAt: T }))).toEqual(["45 cut"]);
  });

  test("is not to blame for a process that was away", () => {
    const { watch, acts } = decide(
      startWatch(T),
      { ...quiet(T + 30_000 * 60), lastFrameAt: T },
      WATCH_TIMING,
    );
    expect(acts).toEqual([]);
    expect(watch.since).toBe(T + 30_000 * 60);
  });

  test("is pinged each minute, and two pings without an answer are trouble", () => {
    const scene = aScene();
    const pings = (): number | null => scene.watch().pingedAt;
    scene.pass(MINUTE);
    expect(pings()).toBe(T + MINUTE);
    scene.answersPing(false);
    expect(scene.pass(MINUTE)).toEqual([]);
    expect(pings()).toBe(T + 2 * MINUTE);
    scene.answersPing(false);
    expect(scene.pass(10_000)).toEqual(["125 server:stir"]);
    scene.answersPing(true);
    expect(scene.pass(5_000)).toEqual(["135 recovered"]);
  });

  test("with messages that are not stored is pushed once, then degraded, and well when they are stored", () => {
    const scene = aScene();
    const unstored = () => ({ unstoredSince: T });
    expect(scene.pass(80_000, unstored)).toEqual(["60 stir", "70 pipeline:stir"]);
    expect(scene.pass(10_000)).toEqual(["90 recovered"]);
  });

  test("may take its time over an import", () => {
    const importing = () => ({ unstoredSince: T, isImporting: true });
    expect(aScene().pass(10 * MINUTE - 10_000, importing)).toEqual([]);
    expect(aScene().pass(16 * MINUTE, (now) => ({ ...importing(), lastInboundAt: now }))[0]).toBe("900 stir");
  });

  test("asks the phone when the silence is three times what is usual at this hour", () => {
    const usual = () => ({ usualMs: 20 * MINUTE });
    const scene = aScene();
    expect(scene.pass(60 * MINUTE - 5_000, usual)).toEqual([]);
    expect(scene.pass(5_000, usual)).toEqual(["3600 ask"]);
    // The answer is the proof, and a new silence begins.
    const answered = () => ({ ...usual(), lastInboundAt: T + 3_603_000 });
    expect(scene.pass(60 * MINUTE - 5_000, answered)).toEqual([]);
    expect(scene.pass(10_000, answered)).toEqual(["7205 ask"]);
  });

  test("is not in trouble for a phone that was off for half an hour and two questions", () => {
    const scene = aScene();
    expect(scene.pass(32 * MINUTE)).toEqual(["1800 ask", "1860 ask", "1920 ask"]);
    const back = () => ({ lastInboundAt: T + 1_923_000 });
    expect(scene.pass(30 * MINUTE - 5_000, back)).toEqual([]);
  });

  test("asks after the usual silence already where a ping got no answer, and both together are trouble", () => {
    const scene = aScene();
    expect(scene.pass(15 * MINUTE)).toEqual([]);
    scene.answersPing(false);
    expect(scene.pass(35_000)).toEqual(["905 ask", "935 server:stir"]);
  });

  test("cannot ask where there is no message to ask for", () => {
    expect(aScene().pass(120 * MINUTE, () => ({ canAsk: false }))).toEqual([]);
  });
});

describe("a deaf connection", () => {
  test("is found within three minutes of the limit and cured step by step, without a restart of all", () => {
    const scene = aScene();
    const limit = 30 * MINUTE;
    const found = ["1800 ask", "1860 ask", "1920 ask", "1950 inbound:stir"];
    expect(scene.pass(limit + 3 * MINUTE)).toEqual([...found, "1980 ask"]);
    expect(scene.pass(MINUTE)).toEqual(["2010 inbound:new_socket", "2040 ask"]);
    scene.reopens();
    expect(scene.pass(MINUTE)).toEqual(["2045 ask", "2100 inbound:second_socket"]);
    scene.reopens();
    expect(scene.pass(MINUTE)).toEqual(["2105 ask", "2160 inbound:give_up"]);
    // Asked on, less often, and well as soon as anything is heard.
    expect(scene.pass(30 * MINUTE)).toEqual(["2705 ask", "3305 ask", "3905 ask"]);
    expect(scene.pass(5_000, (now) => ({ lastInboundAt: now }))).toEqual(["3965 recovered"]);
  });

  test("is well again when its new connection brings something", () => {
    const scene = aScene();
    scene.pass(33 * MINUTE + 30_000);
    scene.reopens();
    expect(scene.pass(5_000, (now) => ({ lastInboundAt: now }))).toContainEqual("2015 recovered");
  });
});

describe("a process in trouble", () => {
  const stuck = () => ({ unstoredSince: T });

  test("is started again when two new connections did not help, if that may be", () => {
    const scene = aScene();
    const done = scene.pass(6 * MINUTE, (now) => ({ ...stuck(), lastInboundAt: now }));
    expect(done).toEqual([
      "60 stir",
      "70 pipeline:stir",
      "130 pipeline:new_socket",
      "190 pipeline:second_socket",
      "250 pipeline:restart",
      "310 pipeline:give_up",
      // What could not be stored by any means is not to hide what else goes wrong.
      "320 recovered",
    ]);
  });

  test("is not where it may not", () => {
    const scene = aScene();
    const done = scene.pass(6 * MINUTE, (now) => ({ ...stuck(), lastInboundAt: now, mayRestart: false }));
    expect(done).toContain("250 pipeline:give_up");
    expect(done.join()).not.toContain("restart");
  });
});

describe("the usual silence of an hour", () => {
  const at = (text: string): number => Date.parse(text) / 1000;

  test("is what nineteen of twenty gaps of that hour keep within", () => {
    const gaps = [...Array.from({ length: 19 }, () => 60), 1500];
    let time = at("2025-11-07T10:00:00Z");
    const times = [time, ...gaps.map((gap) => (time += gap))].reverse();
    expect(usualGapMs(times, new Date("2025-11-08T10:30:00Z"))).toBe(1_500_000);
    expect(usualGapMs(times.slice(1), new Date("2025-11-08T10:30:00Z"))).toBe(60_000);
  });

  test("at night is the night, although no message came after midnight", () => {
    const nights = Array.from({ length: 10 }, (_, n) => [
      at("2025-11-07T07:30:00Z") + n * 86_400,
      at("2025-11-07T22:00:00Z") + n * 86_400,
    ]);
    const times = nights.flat().reverse();
    const night = 9.5 * 3_600_000;
    for (const hour of ["22:30", "23:30", "03:00", "06:10"])
      expect(usualGapMs(times, new Date(`2025-11-18T${hour}:00Z`))).toBe(night);
    expect(usualGapMs(times, new Date("2025-11-18T12:00:00Z"))).toBe(14.5 * 3_600_000);
  });

  test("is nothing where nothing is known", () => {
    expect(usualGapMs([], new Date())).toBe(0);
    expect(
      usualGapMs([at("2025-11-07T10:01:00Z"), at("2025-11-07T10:00:00Z")], new Date("2025-11-07T11:00:00Z")),
    ).toBe(0);
  });
});
