/**
 * Wispro's cloud API on a real port, as its readers must expect it: the raw token, its own idea of a page's size, errors
 * inside HTTP 200; and, on demand, every other way of answering badly.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { give, type CrmAnswer } from "./crm-faults.ts";

/** One record of the directory; any value may be of a wrong type. */
export type WisproRecord = Record<string, unknown>;

export interface WisproRequest {
  page: number;
  perPage: string | null;
  authorization: string | undefined;
  accept: string | undefined;
}

export interface WisproServer {
  url: string;
  /** Every request, in order of arrival. */
  requests(): WisproRequest[];
  pages(): number[];
  /** The directory's content from now on. */
  holds(records: unknown[]): void;
  /** How requests are answered from now on; null: well. Without an argument: all well. */
  answers(how?: (request: WisproRequest) => CrmAnswer | null): void;
  /** Pages are never larger from now on, whatever is asked for. */
  largestPage(size: number): void;
  /** The token is worth nothing from now on. */
  revokes(): void;
  accepts(token: string): void;
  stop(): Promise<void>;
}

const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 1000;

/** A failure as Wispro reports it: inside HTTP 200. */
export const wisproFailure = (status: number, message = "failed"): CrmAnswer => ({
  kind: "answer",
  body: { status, message, errors: [message] },
});

export const aWisproRecord = (n: number, change: WisproRecord = {}): WisproRecord => ({
  id: n,
  custom_id: `C-${n}`,
  name: `Client ${n}`,
  email: `client${n}@example.com`,
  phone_mobile: `0414-${String(1_000_000 + n)}`,
  address: `Street ${n}`,
  zone_name: n % 2 === 0 ? "North" : "South",
  national_identification_number: `V-${10_000_000 + n}`,
  details: "fibre",
  ...change,
});

export const wisproRecords = (count: number): WisproRecord[] =>
  Array.from({ length: count }, (_, index) => aWisproRecord(index + 1));

export async function startWisproServer({
  token,
  records: initial = [],
}: {
  token: string;
  records?: unknown[];
}): Promise<WisproServer> {
  let records = initial;
  let expected: string | null = token;
  let largest = LARGEST_PAGE;
  let how: (request: WisproRequest) => CrmAnswer | null = () => null;
  const requests: WisproRequest[] = [];

  const good = ({ page, perPage }: WisproRequest): CrmAnswer => {
    const size = Math.min(Math.max(1, Number(perPage ?? DEFAULT_PAGE)), largest);
    const pagination = {
      total_records: records.length,
      total_pages: Math.ceil(records.length / size),
      per_page: size,
      current_page: page,
    };
    const data = records.slice((page - 1) * size, page * size);
    return { kind: "answer", body: { status: 200, meta: { object: "list", pagination }, data } };
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(incoming.url ?? "/", "http://127.0.0.1");
    if (incoming.method !== "GET" || url.pathname !== "/api/v1/clients")
      return give({ kind: "answer", status: 404, body: {} }, incoming, response);
    const request: WisproRequest = {
      page: Number(url.searchParams.get("page") ?? 1),
      perPage: url.searchParams.get("per_page"),
      authorization: incoming.headers.authorization,
      accept: incoming.headers.accept,
    };
    requests.push(request);
    const isKnown = expected !== null && request.authorization === expected;
    const answer = isKnown ? (how(request) ?? good(request)) : wisproFailure(401, "Unauthorized");
    await give(answer, incoming, response);
  };

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on a port has an address of this shape.
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => [...requests],
    pages: () => requests.map(({ page }) => page),
    holds: (next) => {
      records = next;
    },
    answers: (next = () => null) => {
      how = next;
    },
    largestPage: (size) => {
      largest = size;
    },
    revokes: () => {
      expected = null;
    },
    accepts: (next) => {
      expected = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
