/** Routes to look at what happened, to wait for it, and to make trouble. */
import { faultRequest } from "../operations/faults.ts";
import type { LedgerQuery } from "../state/ledger.ts";
import { numberOf, read, route, STREAMED, textOf, type AdminRoute } from "./route.ts";

const MAX_WAIT_MS = 120_000;
const STATES = ["unacked", "receipted", "nacked", "acked"] as const;

function filterOf(query: URLSearchParams) {
  return {
    types: query.get("types")?.split(",").filter(Boolean),
    account: textOf(query, "account"),
    id: textOf(query, "id"),
  };
}

const ledgerQueryOf = (query: URLSearchParams): LedgerQuery => ({
  account: textOf(query, "account"),
  contact: textOf(query, "contact"),
  id: textOf(query, "id"),
  state: STATES.find((state) => state === query.get("state")),
  after: numberOf(query, "after"),
  limit: numberOf(query, "limit"),
});

export const recordRoutes: AdminRoute[] = [
  route({
    method: "GET",
    path: "/admin/ledger",
    summary:
      "Messages to the account with all their times (?account, contact, id, state=unacked|receipted|nacked|acked, after, limit)",
    handle: ({ query }, { operations }) => operations.ledger(ledgerQueryOf(query)),
  }),
  route({
    method: "GET",
    path: "/admin/ledger/summary",
    summary:
      "Counts: queued, sent, acked, receipted, unacked, nacked, duplicatesOfId, retries, extraReceipts (?account)",
    handle: ({ query }, { operations }) => operations.ledgerSummary(textOf(query, "account")),
  }),
  route({
    method: "GET",
    path: "/admin/sent",
    summary:
      "What the account's linked device sent, as its recipients decrypted it (?account, to, id, after, limit)",
    handle: ({ query }, { operations }) =>
      operations.sent({
        account: textOf(query, "account"),
        to: textOf(query, "to"),
        id: textOf(query, "id"),
        after: numberOf(query, "after"),
        limit: numberOf(query, "limit"),
      }),
  }),
  route({
    method: "GET",
    path: "/admin/counters",
    summary: "Counts of everything, and the queries that had no answer",
    handle: (_request, { operations }) => operations.counters(),
  }),
  route({
    method: "GET",
    path: "/admin/events",
    summary:
      "Waits for the next event (?types=a,b account, id, after=seq, timeoutMs; 0 does not wait). {last, events}",
    async handle({ query }, { operations }) {
      const after = numberOf(query, "after") ?? 0;
      const timeoutMs = Math.min(numberOf(query, "timeoutMs") ?? 0, MAX_WAIT_MS);
      const events =
        timeoutMs === 0
          ? operations.events(after, filterOf(query))
          : await operations.waitFor({ after, timeoutMs, ...filterOf(query) });
      return { last: operations.lastEvent(), events };
    },
  }),
  route({
    method: "GET",
    path: "/admin/events/stream",
    summary:
      "Events as they happen (server-sent events; ?types, account, id): the way to aim a kill at the moment of a receipt",
    handle({ query, response }, { operations }) {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(": listening\n\n");
      const stop = operations.on(filterOf(query), (event) =>
        response.write(`data: ${JSON.stringify(event)}\n\n`),
      );
      response.on("close", stop);
      return STREAMED;
    },
  }),
  route({
    method: "POST",
    path: "/admin/faults",
    summary: "Makes trouble, at once or armed for its moment; kinds in test/whatsapp/README.md",
    example: { kind: "stream-error", code: 503, account: "99955500001" },
    handle: ({ body }, { operations }) => {
      operations.fault(read(faultRequest, body));
      return operations.faults();
    },
  }),
  route({
    method: "GET",
    path: "/admin/faults",
    summary: "Armed faults",
    handle: (_request, { operations }) => operations.faults(),
  }),
  route({
    method: "DELETE",
    path: "/admin/faults",
    summary: "Disarms them (?account)",
    handle: ({ query }, { operations }) => operations.clearFaults(textOf(query, "account")),
  }),
  route({
    method: "POST",
    path: "/admin/clear",
    summary: "Forgets ledger, sent messages, events, counters and faults; accounts and links stay (?account)",
    handle: ({ query }, { operations }) => operations.clear(textOf(query, "account")),
  }),
  route({
    method: "GET",
    path: "/admin/trust",
    summary: "What a process has to believe to take this for WhatsApp; trust-preload.mjs asks for it",
    handle: (_request, { trust, wsUrl }) => ({ ...trust(), wsUrl: wsUrl() }),
  }),
];
