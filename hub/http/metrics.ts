/** The hub's figures for Prometheus. Nothing in a label names a person, a chat or a session; sessions have their numbers. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { Clock } from "../core/clock.ts";
import type { Fact } from "../core/facts.ts";
import { CAN_WAIT, type Pressure } from "../core/pressure.ts";
import { SAFEKEEPING_MARKS } from "../core/safekeeping-marks.ts";
import type { Session } from "../core/session.ts";
import type { Store } from "../core/store.ts";
import type { Sending } from "../inbox/send.ts";
import { addSessionMetrics, type SessionMetricsParts } from "./session-metrics.ts";

export interface Metrics {
  /** A message became known, from others or from an own device. */
  message(direction: "in" | "out"): void;
  /** WhatsApp's words on what was sent are among the facts; many refusals are how accounts are lost. */
  recorded(facts: Fact[]): void;
  /** What one attempt of a delivery came to. */
  delivery(outcome: string): void;
  /** A stored key of some login is damaged. */
  keyUnreadable(kind: string): void;
  /** The WhatsApp library left an error of a connection that went away to nobody. */
  rejectionIgnored(code: string): void;
  scrape(): Promise<{ type: string; text: string }>;
}

export interface MetricsParts {
  sessions: () => Promise<Session[]>;
  store: Pick<Store, "outbox" | "intake" | "marks">;
  /** Left out, what waits to be sent is not shown. */
  sending?: () => Pick<Sending, "standing">;
  /** Left out, there are no figures of single sessions. */
  each?: Pick<SessionMetricsParts, "figures" | "isStormy">;
  pressure: Pressure;
  clock: Clock;
}

const PREFIX = "inbox_hub_";

export function createMetrics(parts: MetricsParts): Metrics {
  const { sessions, store, sending, each, pressure, clock } = parts;
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register, prefix: PREFIX });
  if (each !== undefined) addSessionMetrics({ sessions, clock, ...each }, { register, prefix: PREFIX });
  const counter = <Label extends string>(name: string, help: string, label: Label): Counter<Label> =>
    new Counter({ name: `${PREFIX}${name}`, help, labelNames: [label], registers });
  const messages = counter("messages_total", "Messages that became known, by direction", "direction");
  const sends = counter("sends_total", "WhatsApp's word on messages sent", "outcome");
  const refusals = counter("send_refusals_total", "Messages that WhatsApp refused, by its number", "code");
  const deliveries = counter("delivery_attempts_total", "Attempts to deliver, by outcome", "outcome");
  const badKeys = counter(
    "unreadable_keys_total",
    "Stored keys that are damaged, by what they are for",
    "kind",
  );
  const rejections = counter(
    "whatsapp_rejections_total",
    "Errors of dead connections that the library left to nobody, by code",
    "code",
  );

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
    name: `${PREFIX}sends_waiting`,
    help: "Messages accepted that have not left, and accounts that may not open new chats",
    labelNames: ["what"],
    registers,
    async collect() {
      this.reset();
      if (sending === undefined) return;
      for (const { sessionId } of await sessions()) {
        const { waiting, restriction, newChats } = await sending().standing(sessionId);
        this.inc({ what: "messages" }, waiting);
        this.inc({ what: "restricted_accounts" }, restriction === null ? 0 : 1);
        this.inc({ what: "accounts_out_of_new_chats" }, newChats.freeAt === null ? 0 : 1);
      }
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
    name: `${PREFIX}safekeeping_age_seconds`,
    help: "Since the last backup was made, and since one was last tried out; left out while none was",
    labelNames: ["what"],
    registers,
    async collect() {
      this.reset();
      for (const [what, { done }] of Object.entries(SAFEKEEPING_MARKS)) {
        const at = await store.marks.get(done);
        if (at !== null) this.set({ what }, (clock.now().getTime() - at.getTime()) / 1000);
      }
    },
  });
  new Gauge({
    name: `${PREFIX}safekeeping_failed`,
    help: "1 while the last backup, or the last trial of one, went wrong",
    labelNames: ["what"],
    registers,
    async collect() {
      for (const [what, names] of Object.entries(SAFEKEEPING_MARKS)) {
        const [done, failed] = [await store.marks.get(names.done), await store.marks.get(names.failed)];
        this.set({ what }, failed !== null && failed > (done ?? 0) ? 1 : 0);
      }
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
  new Counter({
    name: `${PREFIX}load_shed_total`,
    help: "Times that something had to wait because the hub did not keep up, by what",
    labelNames: ["what"],
    registers,
    collect() {
      this.reset();
      const shed = pressure.shed();
      for (const what of CAN_WAIT) this.inc({ what }, shed[what]);
    },
  });

  return {
    message: (direction) => messages.inc({ direction }),
    recorded: (facts) => {
      for (const fact of facts) {
        if (fact.kind !== "status" || (fact.status !== "sent" && fact.status !== "failed")) continue;
        sends.inc({ outcome: fact.status });
        if (fact.status === "failed") refusals.inc({ code: fact.code ?? "unknown" });
      }
    },
    delivery: (outcome) => deliveries.inc({ outcome }),
    keyUnreadable: (kind) => badKeys.inc({ kind }),
    rejectionIgnored: (code) => rejections.inc({ code }),
    scrape: async () => ({ type: register.contentType, text: await register.metrics() }),
  };
}
