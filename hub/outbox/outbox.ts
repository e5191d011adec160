/** The outbox as the hub runs it: who is told, how it goes out, and what is sent again. */
import type { Cipher } from "../core/cipher.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { Pressure } from "../core/pressure.ts";
import type { Store } from "../core/store.ts";
import type { AddressGuard } from "../core/webhook-address.ts";
import { createDispatcher, type DispatcherParts } from "./dispatcher.ts";
import { createEndpoints, type Endpoints } from "./endpoints.ts";
import { createReplays, type Replays } from "./replays.ts";

export interface Outbox {
  endpoints: Endpoints;
  replays: Replays;
  /** Takes up what an earlier process left. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function createOutbox({
  store,
  cipher,
  guard,
  defaultEndpoint,
  clock,
  nudge,
  pressure,
  log,
  userAgent,
  onSettled,
  onTrouble,
}: {
  store: Pick<Store, "endpoints" | "outbox">;
  cipher: Cipher;
  guard: AddressGuard;
  /** Of the configuration; null switches a former one off. */
  defaultEndpoint: Parameters<Endpoints["ensureDefault"]>[0];
  clock: Clock;
  nudge: Nudge;
  pressure: Pressure;
  log: Log;
  userAgent: string;
} & Required<Pick<DispatcherParts, "onSettled" | "onTrouble">>): Promise<Outbox> {
  const endpoints = createEndpoints({ store: store.endpoints, cipher, guard, clock, log, userAgent });
  await endpoints.sealEarlier();
  await endpoints.ensureDefault(defaultEndpoint);
  const dispatcher = createDispatcher({
    ...{ outbox: store.outbox, endpoints, guard },
    ...{ clock, nudge, log, userAgent, onSettled, onTrouble },
  });
  const replays = createReplays({ outbox: store.outbox, clock, nudge, pressure, log });
  return {
    endpoints,
    replays,
    start: async () => {
      await dispatcher.start();
      await replays.resume();
    },
    stop: async () => {
      await Promise.all([replays.stop(), dispatcher.stop()]);
    },
  };
}
