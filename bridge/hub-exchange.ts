/**
 * One request to the hub and its whole answer, over connections that are kept. Sent with undici: a sync asks for page after page
 * while the CRM is written to by the same process, and a richer client costs it twice the time.
 */
// The package's index would slip its own dispatcher under the global `fetch` of whatever program has the bridge in it.
import Pool from "undici/lib/dispatcher/pool.js";
import { AnswerTooLong, PAGE_LIMIT } from "./answer-limit.ts";
import type { HubRequest } from "./hub-request.ts";

export interface HubRequestLine {
  method: HubRequest["method"];
  /** Below the hub's address, with its query. */
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** Over the whole exchange. */
  timeoutMs: number;
}

export interface HubAnswer {
  status: number;
  retryAfter: string | undefined;
  body: Buffer;
}

/** No answer came, or not all of it. The message is a code: it never holds the request with its key. */
export class NoAnswer extends Error {
  constructor(code: string) {
    super(code);
    this.name = "NoAnswer";
  }
}

export interface HubExchange {
  /** @throws NoAnswer, AnswerTooLong */
  send(request: HubRequestLine): Promise<HubAnswer>;
  /** Cuts what is under way. */
  close(): void;
}

const CONNECT_MS = 5_000;
const CONNECTIONS = 16;
/** A connection that lies idle is let go before a hub does so, which would be met by the next request. */
const IDLE_MS = 4_000;

export function createHubExchange(url: string): HubExchange {
  const { origin, pathname, username, password } = new URL(url);
  const base = pathname.replace(/\/+$/, "");
  const login = `${decoded(username)}:${decoded(password)}`;
  // Of a proxy before the hub, which knows its own keys.
  const own = login === ":" ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` };
  const pool = new Pool(origin, {
    connections: CONNECTIONS,
    connectTimeout: CONNECT_MS,
    keepAliveTimeout: IDLE_MS,
    maxResponseSize: PAGE_LIMIT,
    // One deadline over all of it instead.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  const send = ({ method, path, headers, body, timeoutMs }: HubRequestLine): Promise<HubAnswer> =>
    new Promise((resolve, reject) => {
      const tooLate = new NoAnswer("ETIMEDOUT");
      let isLate = false;
      let abort = (): void => undefined;
      const deadline = setTimeout(() => {
        isLate = true;
        reject(tooLate);
        abort();
      }, timeoutMs);
      let head: Pick<HubAnswer, "status" | "retryAfter"> | null = null;
      const chunks: Buffer[] = [];
      pool.dispatch(
        { method, path: base + path, headers: { ...headers, ...own }, body: body ?? null },
        {
          onRequestStart: (controller) => {
            abort = () => controller.abort(tooLate);
            if (isLate) abort();
          },
          onResponseStart: (_controller, status, answered) => {
            if (status < 200) return;
            head = { status, retryAfter: only(answered["retry-after"]) };
          },
          onResponseData: (_controller, chunk) => {
            chunks.push(chunk);
          },
          onResponseEnd: () => {
            clearTimeout(deadline);
            if (head !== null) resolve({ ...head, body: Buffer.concat(chunks) });
          },
          onResponseError: (_controller, error) => {
            clearTimeout(deadline);
            reject(failureOf(error));
          },
        },
      );
    });

  return {
    send,
    close: () => void pool.destroy(),
  };
}

/** A lone percent sign in a URL stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const only = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/** The client's own names of what operators know by the system's. */
const KNOWN_AS: Record<string, string> = {
  UND_ERR_SOCKET: "ECONNRESET",
  UND_ERR_CONNECT_TIMEOUT: "ETIMEDOUT",
};

function failureOf(error: Error): Error {
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return code === "UND_ERR_RES_EXCEEDED_MAX_SIZE"
    ? new AnswerTooLong(PAGE_LIMIT)
    : new NoAnswer(KNOWN_AS[code] ?? code);
}
