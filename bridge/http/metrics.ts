/** The bridge's figures for Prometheus. Nothing in a label names a person, a chat or a session. */
import { Router } from "express";
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { FeedLag } from "../feed-lag.ts";
import type { OutgoingFigures } from "../outgoing/outgoing.ts";
import type { BridgeState } from "../state/bridge-state.ts";
import type { Auth } from "./auth.ts";
import { localOrKey } from "./health-routes.ts";

export interface Metrics {
  router: Router;
  /** One answered webhook: what was done with it, and the status it was answered with. */
  webhook(action: string, status: number): void;
}

export function createMetrics({
  state,
  auth,
  feedLag,
  outgoing,
}: {
  state: BridgeState;
  outgoing: () => OutgoingFigures;
  auth: Auth;
  feedLag: () => Promise<FeedLag>;
}): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register, prefix: "inbox_bridge_" });
  const webhooks = new Counter({
    name: "inbox_bridge_webhooks_total",
    help: "Webhooks answered, by what was done with them",
    labelNames: ["action", "status"],
    registers: [register],
  });
  const gauge = (name: string, help: string, label: string, values: () => string[]) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [register],
      collect() {
        this.reset();
        for (const value of values()) this.inc({ [label]: value });
      },
    });
  gauge("inbox_bridge_sync_jobs", "Sync jobs kept, by status", "status", () =>
    state.read().jobs.map(({ status }) => status),
  );
  gauge("inbox_bridge_failed_items", "Records that could not be written, by kind", "kind", () =>
    state.read().failedItems.map(({ kind }) => kind),
  );
  gauge("inbox_bridge_connections", "Accounts known, by status", "status", () =>
    Object.values(state.read().connections).map(({ status }) => status),
  );
  const comparisons = () => Object.values(state.read().comparisons);
  const total = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [register],
      collect() {
        this.set(value());
      },
    });
  total("inbox_bridge_differences", "Differences between hub and CRM that the last comparisons found", () =>
    comparisons().reduce((sum, { contacts, chats, messages }) => sum + contacts + chats + messages, 0),
  );
  total(
    "inbox_bridge_corrections",
    "Corrections of the connection registry that are kept",
    () => state.read().corrections.length,
  );
  gauge(
    "inbox_bridge_directory_jobs",
    "Passes over the client directory that are kept, by status",
    "status",
    () => state.read().directoryJobs.map(({ status }) => status),
  );
  total(
    "inbox_bridge_directory_failed",
    "1 while the newest pass over the client directory has failed",
    () => (state.read().directoryJobs.at(-1)?.status === "failed" ? 1 : 0),
  );
  total(
    "inbox_bridge_directory_errors",
    "Pages and clients that failed in the newest pass over the client directory",
    () => state.read().directoryJobs.at(-1)?.errors ?? 0,
  );
  total("inbox_bridge_sends_waiting", "Orders to send that wait for the hub", () => outgoing().waiting);
  total(
    "inbox_bridge_sends_failed",
    "Orders to send that waited for the hub and then failed or expired, as far as they are still listed",
    () => outgoing().failed,
  );
  new Gauge({
    name: "inbox_bridge_feed_lag",
    help: "Events of the hub that are not applied yet; -1 while the hub cannot be asked",
    registers: [register],
    async collect() {
      const { lag } = await feedLag();
      this.set(lag ?? -1);
    },
  });

  const router = Router();
  router.get("/metrics", localOrKey(auth), async (_request, response) => {
    response.setHeader("Content-Type", register.contentType);
    response.end(await register.metrics());
  });
  return { router, webhook: (action, status) => webhooks.inc({ action, status: String(status) }) };
}
