/**
 * Figures of each session for Prometheus. Sessions are told apart by their number alone: a name may be a customer's. What
 * counts up goes on over restarts, as the figures themselves do.
 */
import { Counter, Gauge, type Registry } from "prom-client";
import type { Clock } from "../core/clock.ts";
import { degradedSeconds, percentile, type SessionFigures } from "../core/session-figures.ts";
import type { Session } from "../core/session.ts";
import { UNREADABLE_KINDS } from "../core/unreadable.ts";

export interface SessionMetricsParts {
  sessions: () => Promise<Session[]>;
  figures: (sessionId: string) => Promise<SessionFigures>;
  /** More messages cannot be decrypted than now and then happens. */
  isStormy: (sessionId: string) => boolean;
  clock: Clock;
}

const QUANTILES = [0.5, 0.99];

export function addSessionMetrics(
  { sessions, figures, isStormy, clock }: SessionMetricsParts,
  { register, prefix }: { register: Registry; prefix: string },
): void {
  const registers = [register];
  const each = async (show: (session: string, figures: SessionFigures) => void): Promise<void> => {
    for (const { id, sessionId } of await sessions()) show(String(id), await figures(sessionId));
  };
  const total = (name: string, help: string, of: (figures: SessionFigures) => number): void => {
    new Counter({
      name: `${prefix}${name}`,
      help,
      labelNames: ["session"],
      registers,
      async collect() {
        this.reset();
        await each((session, its) => this.inc({ session }, of(its)));
      },
    });
  };

  total("session_attempts_total", "Connections begun", ({ attempts }) => attempts);
  total("session_connects_total", "Connections that opened", ({ opened }) => opened);
  total("session_reconnects_total", "Connections that opened after a loss", ({ reconnects }) => reconnects);
  total("session_degraded_seconds_total", "Time connected without hearing anything", (its) =>
    degradedSeconds(its, clock.now()),
  );
  total(
    "session_undecrypted_came_total",
    "Messages that could be decrypted after all",
    (its) => its.unreadable.came,
  );
  total(
    "session_undecrypted_storms_total",
    "Storms of messages that could not be decrypted",
    (its) => its.unreadable.storms,
  );
  new Counter({
    name: `${prefix}session_undecrypted_total`,
    help: "Messages that could not be decrypted when they came, by cause",
    labelNames: ["session", "kind"],
    registers,
    async collect() {
      this.reset();
      await each((session, { unreadable }) => {
        for (const kind of UNREADABLE_KINDS) this.inc({ session, kind }, unreadable.failed[kind]);
      });
    },
  });
  new Gauge({
    name: `${prefix}session_undecrypted_storm`,
    help: "1 while messages that cannot be decrypted come in a storm",
    labelNames: ["session"],
    registers,
    async collect() {
      this.reset();
      for (const { id, sessionId } of await sessions())
        this.set({ session: String(id) }, isStormy(sessionId) ? 1 : 0);
    },
  });
  new Gauge({
    name: `${prefix}session_failed_in_a_row`,
    help: "Tries to connect that failed since the last that did not",
    labelNames: ["session"],
    registers,
    async collect() {
      this.reset();
      await each((session, { failedInARow }) => this.set({ session }, failedInARow));
    },
  });
  new Gauge({
    name: `${prefix}session_connect_seconds`,
    help: "From the start of a connection (or the scan of a code) until it was open, of the last 200",
    labelNames: ["session", "from", "quantile"],
    registers,
    async collect() {
      this.reset();
      await each((session, { scanToOpenMs, startToOpenMs }) => {
        for (const [from, times] of [
          ["scan", scanToOpenMs],
          ["start", startToOpenMs],
        ] as const)
          for (const quantile of QUANTILES) {
            const ms = percentile(times, quantile);
            if (ms !== null) this.set({ session, from, quantile }, ms / 1000);
          }
      });
    },
  });
}
