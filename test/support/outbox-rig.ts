/** The webhook side alone: real store, real HTTP, a CRM that can misbehave, and a clock that tests move. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { EventName, HubEvent } from "../../hub/contract/events.ts";
import type { Cipher } from "../../hub/core/cipher.ts";
import type { Delivery } from "../../hub/core/delivery.ts";
import type { Endpoint } from "../../hub/core/endpoint.ts";
import { createNudge, type Nudge } from "../../hub/core/nudge.ts";
import type { DeliveryFilter, OutboxStore, Store } from "../../hub/core/store.ts";
import { createAddressGuard, type AddressGuard, type Resolve } from "../../hub/core/webhook-address.ts";
import { createDispatcher, type Dispatcher } from "../../hub/outbox/dispatcher.ts";
import type { EndpointChange } from "../../hub/outbox/endpoint-settings.ts";
import { createEndpoints, type Endpoints } from "../../hub/outbox/endpoints.ts";
import { createReplays, type Replays } from "../../hub/outbox/replays.ts";
import { openSqliteStore } from "../../hub/store/sqlite/sqlite-store.ts";
import { aNewSession, unique } from "./builders.ts";
import { startFakeCrm, type FakeCrm } from "./fake-crm.ts";
import { fixedClock, type FixedClock } from "./fixed-clock.ts";

export const SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const USER_AGENT = "InboxHub/test";
const EVERYTHING = 1000;

/** Seals nothing away, but refuses what lies in another place, as the real one does. */
export const placeCipher: Cipher = {
  seal: (place, plain) => Buffer.concat([Buffer.from(`${place}|`), plain]),
  open: (place, sealed) => {
    const text = Buffer.from(sealed);
    const start = `${place}|`;
    if (text.subarray(0, start.length).toString() !== start) throw new Error(`not sealed for ${place}`);
    return text.subarray(start.length);
  },
};

export interface OutboxRig {
  store: Store;
  clock: FixedClock;
  nudge: Nudge;
  guard: AddressGuard;
  endpoints: Endpoints;
  dispatcher: Dispatcher;
  replays: Replays;
  /** Lines of the log: the event's name with its facts. */
  logged(event: string): Record<string, unknown>[];
  /** What people would be called for: endpoints and what they do. */
  troubles(): [endpointId: string, what: string][];
  /** A CRM whose clock is the rig's. */
  crm(): Promise<FakeCrm>;
  /** An endpoint at a CRM, with this rig's secret. */
  endpoint(crm: Pick<FakeCrm, "url">, change?: EndpointChange): Promise<Endpoint>;
  /** An incoming message of a chat: stored, owed, and rung for. */
  says(chat: string, text?: string): Promise<HubEvent>;
  happens(event: EventName, data: Record<string, unknown>, chatId?: string | null): Promise<HubEvent>;
  /** Time passes, and everything that can be done is done. */
  after(ms: number): Promise<void>;
  deliveries(filter?: DeliveryFilter): Promise<Delivery[]>;
  /** Ends the dispatcher and begins another on the same store, as a restart does. */
  restart(): Promise<void>;
}

export async function openOutboxRig({
  onDisk = false,
  cipher = placeCipher,
  resolve,
  outbox = (real) => real,
}: {
  onDisk?: boolean;
  cipher?: Cipher;
  /** Answers instead of the system's resolver. */
  resolve?: Resolve;
  /** What the dispatcher is given instead of the real outbox. */
  outbox?: (real: OutboxStore) => OutboxStore;
} = {}): Promise<OutboxRig> {
  const dir = await mkdtemp(join(tmpdir(), "hub-outbox-"));
  const clock = fixedClock();
  const store = await openSqliteStore({
    file: onDisk ? join(dir, "hub.db") : ":memory:",
    publicUrl: "http://127.0.0.1",
    clock,
  });
  await store.sessions.create(aNewSession());
  const lines: { event: string; facts: Record<string, unknown> }[] = [];
  const write = (facts: object, event: string): void => void lines.push({ event, facts: { ...facts } });
  const log = { debug: write, info: write, warn: write, error: write };
  const nudge = createNudge();
  const guard = createAddressGuard({
    allowCidrs: ["127.0.0.0/8"],
    allowedUrls: [],
    ...(resolve === undefined ? {} : { resolve }),
  });
  const endpoints = createEndpoints({
    store: store.endpoints,
    cipher,
    guard,
    clock,
    log,
    userAgent: USER_AGENT,
  });
  const troubles: [endpointId: string, what: string][] = [];
  const newDispatcher = (): Dispatcher =>
    createDispatcher({
      outbox: outbox(store.outbox),
      endpoints,
      guard,
      clock,
      nudge,
      log,
      userAgent: USER_AGENT,
      random: () => 0.5,
      onTrouble: (endpointId, what) => void troubles.push([endpointId, what]),
    });
  let dispatcher = newDispatcher();
  await dispatcher.start();
  const crms: FakeCrm[] = [];

  onTestFinished(async () => {
    await Promise.all(crms.map((crm) => crm.stop()));
    await dispatcher.stop();
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  const happens: OutboxRig["happens"] = async (event, data, chatId = null) => {
    const entry = { event, chatId, data, exceptClient: null, notBefore: null };
    const [recorded] = await store.events.append("s1", [entry], clock.now());
    if (recorded === undefined) throw new Error("nothing was recorded");
    nudge.ring();
    return recorded;
  };

  return {
    store,
    clock,
    nudge,
    guard,
    endpoints,
    get dispatcher() {
      return dispatcher;
    },
    replays: createReplays({ outbox: store.outbox, clock, nudge, log }),
    logged: (event) => lines.filter((line) => line.event === event).map(({ facts }) => facts),
    troubles: () => troubles,
    crm: async () => {
      const crm = await startFakeCrm({ secret: SECRET, now: () => clock.now() });
      crms.push(crm);
      return crm;
    },
    endpoint: async (crm, change = {}) =>
      (await endpoints.create({ ...change, url: change.url ?? crm.url, secret: SECRET })).endpoint,
    says: (chat, text = "hola") => {
      const id = `3A${unique()}`;
      const message = { id, messageId: id, whatsappMessageId: id, chatId: `${chat}@c.us`, content: text };
      return happens("message.received", { message }, `${chat}@s.whatsapp.net`);
    },
    happens,
    after: async (ms) => {
      clock.advance(ms);
      await dispatcher.idle();
    },
    deliveries: async (filter = {}) =>
      (await store.outbox.list({ ...filter, endpoints: "*", page: 1, limit: EVERYTHING })).items,
    restart: async () => {
      await dispatcher.stop();
      dispatcher = newDispatcher();
      await dispatcher.start();
    },
  };
}
