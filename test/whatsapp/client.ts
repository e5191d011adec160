/** The emulator from another process: its admin API as functions. */
import type { Trust } from "./emulator.ts";
import type { PairingOutcome } from "./link/pairing.ts";
import type { AccountView, ChangedAccountRequest, NewAccountRequest } from "./operations/accounts.ts";
import type { BurstRequest, BurstView } from "./operations/bursts.ts";
import type { CallRequest, ContactChange, PresenceRequest, ReceiptRequest } from "./operations/contacts.ts";
import type { FaultRequest } from "./operations/faults.ts";
import type { GroupChange, GroupView, NewGroupRequest } from "./operations/groups.ts";
import type { HistoryRequest, ReplayRequest, ResendRequest, StanzaRequest } from "./operations/replays.ts";
import type { InboundMessage, QueuedMessage, TypedMessage } from "./operations/messages.ts";
import type { RestrictionRequest } from "./operations/standing.ts";
import type { HeldChat } from "./state/account.ts";
import type { CountersSnapshot } from "./state/counters.ts";
import type { EmulatorEvent, EventFilter, EventListener } from "./state/events.ts";
import type { ArmedFault } from "./state/faults.ts";
import type { LedgerEntry, LedgerQuery, LedgerSummary } from "./state/ledger.ts";
import type { SentMessage, SentQuery } from "./state/sent.ts";

type Query = Record<string, string | number | readonly string[] | undefined>;
type Method = "GET" | "POST" | "PATCH" | "DELETE";

export interface EmulatorClient {
  readonly url: string;
  trust(): Promise<Trust & { wsUrl: string }>;
  createAccount(request?: NewAccountRequest): Promise<AccountView>;
  accounts(): Promise<AccountView[]>;
  account(number: string): Promise<AccountView>;
  changeAccount(number: string, request: ChangedAccountRequest): Promise<AccountView>;
  removeAccount(number: string): Promise<void>;
  contacts(number: string): Promise<{ number: string; lid: string; name: string; pushName: string }[]>;
  history(number: string): Promise<HeldChat[]>;
  scanQr(qr: string, account?: string): Promise<PairingOutcome>;
  enterCode(code: string, account?: string): Promise<PairingOutcome>;
  unlink(account?: string, device?: number): Promise<void>;
  receive(message: InboundMessage): Promise<QueuedMessage>;
  receiveAll(messages: InboundMessage[]): Promise<QueuedMessage[]>;
  typeOnPhone(message: TypedMessage): Promise<QueuedMessage>;
  startBurst(request: BurstRequest): Promise<BurstView>;
  burst(id: number): Promise<BurstView>;
  showPresence(request: PresenceRequest): Promise<void>;
  call(request: CallRequest): Promise<{ id: string }>;
  confirm(request: ReceiptRequest): Promise<void>;
  changeContact(account: string, contact: string, change: ContactChange): Promise<void>;
  createGroup(request: NewGroupRequest): Promise<GroupView>;
  group(id: string): Promise<GroupView>;
  changeGroup(id: string, change: GroupChange): Promise<GroupView>;
  restrict(request: RestrictionRequest): Promise<void>;
  replay(request: ReplayRequest): Promise<void>;
  resend(request: ResendRequest): Promise<void>;
  sendHistory(request?: HistoryRequest): Promise<void>;
  sendStanza(request: StanzaRequest): Promise<void>;
  ledger(query?: LedgerQuery): Promise<LedgerEntry[]>;
  ledgerSummary(account?: string): Promise<LedgerSummary>;
  sent(query?: SentQuery): Promise<SentMessage[]>;
  counters(): Promise<CountersSnapshot>;
  events(after?: number, filter?: EventFilter): Promise<EmulatorEvent[]>;
  lastEvent(): Promise<number>;
  /** The next event that fits, or one after `after` that did; empty when the time is over. */
  waitFor(request: EventFilter & { after?: number; timeoutMs?: number }): Promise<EmulatorEvent[]>;
  /** Events as they happen. Settles when the emulator listens; the result stops it. */
  on(filter: EventFilter, listener: EventListener): Promise<() => void>;
  fault(request: FaultRequest): Promise<ArmedFault[]>;
  clearFaults(account?: string): Promise<void>;
  clear(account?: string): Promise<void>;
}

export class EmulatorError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(`the emulator answered ${status}: ${message}`);
    this.status = status;
  }
}

const REFUSED = 409;
const DEFAULT_WAIT_MS = 30_000;

export function createEmulatorClient(url: string): EmulatorClient {
  const request = async (
    method: Method,
    path: string,
    { body, query = {} }: { body?: unknown; query?: Query } = {},
  ): Promise<Response> =>
    fetch(urlOf(url, path, query), {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
  const ask = async <Answer>(
    method: Method,
    path: string,
    options: { body?: unknown; query?: Query } = {},
  ): Promise<Answer> => {
    const response = await request(method, path, options);
    if (!response.ok) throw new EmulatorError(response.status, await response.text());
    return (await response.json()) as Answer; // both ends are ours: the types are those of the operations
  };
  const pair = async (path: string, body: unknown): Promise<PairingOutcome> => {
    const response = await request("POST", path, { body });
    const answer = (await response.json()) as PairingOutcome | { error: string }; // as above
    if ("outcome" in answer && (response.ok || response.status === REFUSED)) return answer;
    throw new EmulatorError(response.status, "error" in answer ? answer.error : "");
  };
  const done = async (answer: Promise<unknown>): Promise<void> => {
    await answer;
  };
  const account = (number: string): string => `/admin/accounts/${encodeURIComponent(number)}`;

  return {
    url,
    trust: () => ask("GET", "/admin/trust"),
    createAccount: (body = {}) => ask("POST", "/admin/accounts", { body }),
    accounts: () => ask("GET", "/admin/accounts"),
    account: (number) => ask("GET", account(number)),
    changeAccount: (number, body) => ask("PATCH", account(number), { body }),
    removeAccount: (number) => done(ask("DELETE", account(number))),
    contacts: (number) => ask("GET", `${account(number)}/contacts`),
    history: (number) => ask("GET", `${account(number)}/history`),
    scanQr: (qr, number) => pair("/admin/mock-phone/scan-qr", { qr, account: number }),
    enterCode: (code, number) => pair("/admin/mock-phone/enter-code", { code, account: number }),
    unlink: (number, device) =>
      done(ask("POST", "/admin/mock-phone/unlink", { body: { account: number, device } })),
    receive: (body) => ask("POST", "/admin/messages", { body }),
    receiveAll: (body) => ask("POST", "/admin/messages", { body }),
    typeOnPhone: (body) => ask("POST", "/admin/mock-phone/type", { body }),
    startBurst: (body) => ask("POST", "/admin/bursts", { body }),
    burst: (id) => ask("GET", `/admin/bursts/${id}`),
    showPresence: (body) => done(ask("POST", "/admin/presence", { body })),
    call: (body) => ask("POST", "/admin/calls", { body }),
    confirm: (body) => done(ask("POST", "/admin/receipts", { body })),
    changeContact: (number, contact, body) =>
      done(ask("PATCH", `${account(number)}/contacts/${encodeURIComponent(contact)}`, { body })),
    createGroup: (body) => ask("POST", "/admin/groups", { body }),
    group: (id) => ask("GET", `/admin/groups/${encodeURIComponent(id)}`),
    changeGroup: (id, body) => ask("PATCH", `/admin/groups/${encodeURIComponent(id)}`, { body }),
    restrict: (body) => done(ask("POST", "/admin/restrictions", { body })),
    replay: (body) => done(ask("POST", "/admin/replays", { body })),
    resend: (body) => done(ask("POST", "/admin/resends", { body })),
    sendHistory: (body = {}) => done(ask("POST", "/admin/history", { body })),
    sendStanza: (body) => done(ask("POST", "/admin/stanzas", { body })),
    ledger: (query = {}) => ask("GET", "/admin/ledger", { query: { ...query } }),
    ledgerSummary: (number) => ask("GET", "/admin/ledger/summary", { query: { account: number } }),
    sent: (query = {}) => ask("GET", "/admin/sent", { query: { ...query } }),
    counters: () => ask("GET", "/admin/counters"),
    events: async (after = 0, filter = {}) =>
      (await ask<{ events: EmulatorEvent[] }>("GET", "/admin/events", { query: { ...filter, after } }))
        .events,
    lastEvent: async () =>
      (await ask<{ last: number }>("GET", "/admin/events", { query: { id: "none" } })).last,
    waitFor: async ({ timeoutMs = DEFAULT_WAIT_MS, ...filter }) =>
      (await ask<{ events: EmulatorEvent[] }>("GET", "/admin/events", { query: { ...filter, timeoutMs } }))
        .events,
    on: (filter, listener) => listen(urlOf(url, "/admin/events/stream", { ...filter }), listener),
    fault: (body) => ask("POST", "/admin/faults", { body }),
    clearFaults: (number) => done(ask("DELETE", "/admin/faults", { query: { account: number } })),
    clear: (number) => done(ask("POST", "/admin/clear", { query: { account: number } })),
  };
}

function urlOf(base: string, path: string, query: Query): URL {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value));
  return url;
}

async function listen(url: URL, listener: EventListener): Promise<() => void> {
  const stop = new AbortController();
  const response = await fetch(url, { signal: stop.signal });
  if (!response.ok || !response.body) throw new EmulatorError(response.status, "no stream");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const pump = async (): Promise<void> => {
    let pending = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (pending + value).split("\n\n");
      pending = blocks.pop() ?? "";
      for (const block of blocks)
        if (block.startsWith("data: ")) listener(JSON.parse(block.slice(6)) as EmulatorEvent); // ours
    }
  };
  // Ends by our own abort, or with the emulator.
  pump().catch((cause: unknown) => {
    if (!stop.signal.aborted) console.error("the emulator's event stream ended:", cause);
  });
  return () => stop.abort();
}
