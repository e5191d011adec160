/** An opened engine with one session, and what the suites ask of it again and again. */
import { afterEach } from "vitest";
import type { HubEvent } from "../../../hub/contract/events.ts";
import type { Clock } from "../../../hub/core/clock.ts";
import type { DeliveryPatch } from "../../../hub/core/delivery.ts";
import type { Endpoint } from "../../../hub/core/endpoint.ts";
import type { Fact } from "../../../hub/core/facts.ts";
import type { DueDelivery, Recorded, Settlement, Store } from "../../../hub/core/store.ts";
import { aNewSession, anEndpoint } from "../../support/builders.ts";
import { fixedClock, type FixedClock } from "../../support/fixed-clock.ts";

export interface OpenedEngine {
  store: Store;
  /** Another process opens what is there after this one was killed; null when nothing outlives the process. */
  afterKill: (() => Promise<Store>) | null;
}
export type OpenEngine = (options: { clock: Clock; publicUrl: string }) => Promise<OpenedEngine>;

export interface World {
  store: Store;
  clock: FixedClock;
  afterKill: OpenedEngine["afterKill"];
  record: (
    facts: Fact | Fact[],
    options?: { sessionId?: string; closes?: Uint8Array[] },
  ) => Promise<Recorded>;
  endpoint: (change?: Partial<Endpoint>) => Promise<Endpoint>;
  /** Everything that was told so far, oldest first. */
  events: () => Promise<HubEvent[]>;
  /** Leases what is due of an endpoint. */
  due: (endpoint: Endpoint, limit?: number) => Promise<DueDelivery[]>;
  settle: (due: DueDelivery[], patch?: Partial<DeliveryPatch>, more?: Partial<Settlement>) => Promise<void>;
}

export type Worlds = (options?: { withSession?: boolean }) => Promise<World>;

export function createWorlds(open: OpenEngine): Worlds {
  const opened: Store[] = [];
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });

  return async ({ withSession = true } = {}) => {
    const clock = fixedClock();
    const { store, afterKill } = await open({ clock, publicUrl: "https://hub.example" });
    opened.push(store);
    if (withSession) await store.sessions.create(aNewSession());

    return {
      store,
      clock,
      afterKill:
        afterKill === null
          ? null
          : async () => {
              const other = await afterKill();
              opened.push(other);
              return other;
            },
      record: (facts, { sessionId = "s1", closes = [] } = {}) =>
        store.inbox.record({
          sessionId,
          facts: Array.isArray(facts) ? facts : [facts],
          closes,
          now: clock.now(),
        }),
      endpoint: async (change) => {
        const endpoint = anEndpoint(change);
        await store.endpoints.save(endpoint);
        return endpoint;
      },
      events: async () => {
        const rows = await store.events.after({ after: 0, limit: 10_000, sessions: "*" });
        return rows.map(({ body }) => parseEvent(body));
      },
      due: (endpoint, limit = 100) =>
        store.outbox.leaseDue({ endpointId: endpoint.id, now: clock.now(), limit }),
      settle: (due, patch = {}, more = {}) =>
        store.outbox.settle(
          due.map((delivery) => settlement(delivery, clock.now(), patch, more)),
          clock.now(),
        ),
    };
  };
}

/** Delivered, unless the patch says otherwise. */
const settlement = (
  { n, laneId, attempts }: DueDelivery,
  now: Date,
  patch: Partial<DeliveryPatch>,
  more: Partial<Settlement>,
): Settlement => ({
  n,
  laneId,
  patch: {
    state: "delivered",
    attempts: attempts + 1,
    nextAttemptAt: null,
    lastStatus: 200,
    lastError: null,
    failure: null,
    doneAt: patch.state === undefined || patch.state === "delivered" ? now : null,
    ...patch,
  },
  attempt: { n: attempts + 1, at: now, ms: 7, status: 200, error: null, responseHead: "{}" },
  ...more,
});

/** Frozen bytes are our own events. */
export const parseEvent = (body: string): HubEvent => JSON.parse(body) as HubEvent;

export const names = (events: HubEvent[]): string[] => events.map(({ event }) => event);
