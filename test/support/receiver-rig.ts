/** The bridge's receiver behind its door on a real port, over a CRM in memory, and events as the hub makes them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { createMemoryAdapter } from "../../bridge/adapters/memory/memory-adapter.ts";
import { HubUnavailable } from "../../bridge/errors.ts";
import { createFailedItems, type FailedItems } from "../../bridge/failed-items.ts";
import type { HubClient } from "../../bridge/hub-client.ts";
import { createLanes } from "../../bridge/lanes.ts";
import { createConnections, type Connections } from "../../bridge/registry/connections.ts";
import type { BridgeState } from "../../bridge/state/bridge-state.ts";
import { createMemoryState } from "../../bridge/state/memory-state.ts";
import type { Apply } from "../../bridge/applied.ts";
import { createApply } from "../../bridge/webhook/apply.ts";
import { nodeDoor } from "../../bridge/webhook/node.ts";
import { createReceiver, type Receiver } from "../../bridge/webhook/receive.ts";
import { eventBody, sign, signBody, type HubEvent } from "../../hub/contract/index.ts";
import { eventsOf, type Change } from "../../hub/core/events-of.ts";
import { viewOf, withSession } from "../../hub/core/present.ts";
import { eventsOfMove, type SessionMove } from "../../hub/core/session-events.ts";
import type { NewEvent } from "../../hub/core/store.ts";
import { aSession, T0 } from "./builders.ts";
import { fixedClock, type FixedClock } from "./fixed-clock.ts";
import { recordOf } from "./http-rig.ts";
import { logBook, type LogBook } from "./log-book.ts";

export const SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

export interface Answered {
  status: number;
  retryAfter: string | null;
  body: Record<string, unknown>;
  /** `action` of `processed`. */
  action: unknown;
}

export interface ReceiverRig {
  url: string;
  receiver: Receiver;
  apply: Apply;
  crm: CrmAdapter;
  state: BridgeState;
  connections: Connections;
  failed: FailedItems;
  clock: FixedClock;
  log: LogBook;
  /** `seq` of every event that reached the CRM. */
  noticed: number[];
  /** Syncs asked for, as `session reason`. */
  syncs: string[];
  post(event: HubEvent, headers?: Record<string, string>): Promise<Answered>;
  postRaw(body: string | Uint8Array, headers: Record<string, string>): Promise<Answered>;
  /** Records of a document type, all fields. */
  records(doctype: string): Promise<Record<string, unknown>[]>;
}

/** A hub that knows nothing, but for what a test lets it know. */
export function stubHub(known: Partial<HubClient> = {}): HubClient {
  const away = (): Promise<never> =>
    Promise.reject(new HubUnavailable("The hub is away.", { code: null, status: null }));
  return {
    sessions: away,
    session: away,
    contacts: away,
    chats: away,
    messages: away,
    changedMessages: away,
    chat: away,
    contact: away,
    lookUpAll: away,
    message: away,
    events: away,
    subscribe: away,
    connect: away,
    disconnect: away,
    logout: away,
    createSession: away,
    qrCode: away,
    pairingCode: away,
    sendMessage: away,
    close: () => Promise.resolve(),
    ...known,
  };
}

export interface RigOptions {
  secrets?: () => string[];
  acceptLegacy?: boolean;
  syncOnConnect?: boolean;
  budgetMs?: number;
  hub?: Partial<HubClient>;
  /** Puts something between the bridge and the CRM. */
  crm?: (crm: CrmAdapter) => CrmAdapter;
}

export async function openReceiverRig({
  secrets = () => [SECRET],
  acceptLegacy = false,
  syncOnConnect = true,
  budgetMs = 12_000,
  hub = {},
  crm: between = (crm) => crm,
}: RigOptions = {}): Promise<ReceiverRig> {
  const clock = fixedClock();
  const log = logBook();
  const state = createMemoryState();
  const memory = createMemoryAdapter({ clock });
  const connections = createConnections({ state, clock, log });
  const failed = createFailedItems({ state, clock });
  const syncs: string[] = [];
  const noticed: number[] = [];
  const crm = between(memory);
  const apply = createApply({
    adapter: crm,
    hub: stubHub(hub),
    lanes: createLanes(),
    connections,
    requestSync: (sessionId, reason) => {
      syncs.push(`${sessionId} ${reason}`);
      return Promise.resolve();
    },
    syncOnConnect,
    failed,
    log,
  });
  const receiver = createReceiver({
    secrets,
    acceptLegacy,
    apply,
    noticed: ({ seq }) => noticed.push(seq),
    clock,
    log,
    budgetMs,
  });
  const server = createServer(nodeDoor(receiver));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a server that listens on a port has this kind of address
  const url = `http://127.0.0.1:${port}/webhook`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const postRaw: ReceiverRig["postRaw"] = async (body, headers) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : new Uint8Array(body),
    });
    const json = recordOf(await response.json());
    const { processed } = json;
    const action =
      typeof processed === "object" && processed !== null ? recordOf(processed)["action"] : undefined;
    return { status: response.status, retryAfter: response.headers.get("retry-after"), body: json, action };
  };

  return {
    url,
    receiver,
    apply,
    crm,
    state,
    connections,
    failed,
    clock,
    log,
    noticed,
    syncs,
    postRaw,
    post: (event, headers) => {
      const body = eventBody(event);
      return postRaw(body, { ...signedHeaders(body, { id: event.id, now: clock.now() }), ...headers });
    },
    records: (doctype) =>
      memory.documents?.list({ doctype, fields: ["*"], filters: [], orderBy: [], start: 0, limit: 10_000 }) ??
      Promise.resolve([]),
  };
}

/** The headers of an attempt, as the hub sends them. */
export function signedHeaders(
  body: string | Uint8Array,
  { id, now, secrets = [SECRET] }: { id: string; now: Date; secrets?: string[] },
): Record<string, string> {
  const timestamp = Math.floor(now.getTime() / 1000);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": sign(secrets, { id, timestamp, body }),
    "x-webhook-signature": signBody(secrets[0] ?? "", body),
  };
}

const session = aSession({ id: 12 });

/** An event as it leaves the hub's log. */
export const eventOf = (
  { event, data }: Pick<NewEvent, "event" | "data">,
  seq: number,
  about: { id: number; sessionId: string } = session,
): HubEvent => ({
  id: `evt_${String(seq).padStart(26, "0")}`,
  seq,
  event,
  sessionId: about.sessionId,
  timestamp: T0.toISOString(),
  data: withSession(about, data),
});

/** What the hub tells of a change, with this number. */
export function toldOf(change: Change, seq: number): HubEvent {
  const [event, ...more] = eventsOf(change, viewOf(session, "https://hub.example"), T0);
  if (event === undefined || more.length > 0) throw new Error("not one event");
  return eventOf(event, seq);
}

export function toldOfMove(move: Omit<SessionMove, "now">, seq: number): HubEvent {
  const [event, ...more] = eventsOfMove({ ...move, now: T0 });
  if (event === undefined || more.length > 0) throw new Error("not one event");
  return eventOf(event, seq, move.next);
}
