/** The hub's figures for Prometheus. Nothing in a label names a person, a chat or a session. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { Clock } from "../core/clock.ts";
import type { Pressure } from "../core/pressure.ts";
import type { Session } from "../core/session.ts";
import type { Store } from "../core/store.ts";

export interface Metrics {
  /** A message became known, from others or from an own device. */
  message(direction: "in" | "out"): void;
  /** WhatsApp's word on something sent. */
  send(outcome: "sent" | "failed"): void;
  /** What one attempt of a delivery came to. */
  delivery(outcome: string): void;
  scrape(): Promise<{ type: string; text: string }>;
}

export interface MetricsParts {
  sessions: () => Promise<Session[]>;
  store: Pick<Store, "outbox" | "intake">;
  pressure: Pressure;
  clock: Clock;
}

const PREFIX = "inbox_hub_";

export function createMetrics({ sessions, store, pressure, clock }: MetricsParts): Metrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register, prefix: PREFIX });
  const counter = <Label extends string>(name: string, help: string, label: Label): Counter<Label> =>
    new Counter({ name: `${PREFIX}${name}`, help, labelNames: [label], registers });
  const messages = counter("messages_total", "Messages that became known, by direction", "direction");
  const sends = counter("sends_total", "WhatsApp's word on messages sent", "outcome");
  const deliveries = counter("delivery_attempts_total", "Attempts to deliver, by outcome", "outcome");

  new Gauge({
    name: `${PREFIX}sessions`,
    help: "Sessions, by state",
    labelNames: ["state"],
    registers,
    async collect() {
      this.reset();
      for (const { state } of await sessions()) this.inc({ state });
    },
  });
  new Gauge({
    name: `${PREFIX}outbox_deliveries`,
    help: "Deliveries that are waiting, tried again or given up",
    labelNames: ["state"],
    registers,
    async collect() {
      const { pending, retrying, dead } = await store.outbox.stats(null, clock.now());
      this.set({ state: "pending" }, pending);
      this.set({ state: "retrying" }, retrying);
      this.set({ state: "dead" }, dead);
    },
  });
  new Gauge({
    name: `${PREFIX}outbox_oldest_seconds`,
    help: "Age of the oldest delivery that is owed; 0 when nothing is",
    registers,
    async collect() {
      const { oldestPendingSeconds } = await store.outbox.stats(null, clock.now());
      this.set(oldestPendingSeconds ?? 0);
    },
  });
  new Gauge({
    name: `${PREFIX}intake_open`,
    help: "What WhatsApp handed over and is not recorded yet",
    registers,
    async collect() {
      this.set(await store.intake.countOpen());
    },
  });
  new Gauge({
    name: `${PREFIX}overloaded`,
    help: "1 while the event loop is too late for its work",
    registers,
    collect() {
      this.set(pressure.isHigh() ? 1 : 0);
    },
  });

  return {
    message: (direction) => messages.inc({ direction }),
    send: (outcome) => sends.inc({ outcome }),
    delivery: (outcome) => deliveries.inc({ outcome }),
    scrape: async () => ({ type: register.contentType, text: await register.metrics() }),
  };
}
