/** The running hub as its operator's commands call it, with the key and at the address of the hub's own settings. */
import { ownUrl } from "../../hub/http/own-url.ts";
import { CommandError } from "./command-error.ts";

export type Json = Record<string, unknown>;

export interface HubCalls {
  url: string;
  /** `data` of the answer. @throws CommandError in plain words */
  get(path: string): Promise<Json>;
  send(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<Json>;
  /** All rows of a list, page by page. */
  all(path: string, plural: string): Promise<Json[]>;
  /** Answers without an envelope, whatever their status; null when nobody answers. */
  probe(path: string): Promise<{ status: number; body: Json } | null>;
}

/** Longer than the longest test of an endpoint. */
const TIMEOUT_MS = 60_000;
const PAGE = 1_000;

export function hubUrl(env: Record<string, string | undefined>): string {
  if (env["HUB_URL"]) return env["HUB_URL"].replace(/\/+$/, "");
  return ownUrl(env["HUB_HOST"] || "127.0.0.1", env["HUB_PORT"] || "3000");
}

export function callHub(env: Record<string, string | undefined>): HubCalls {
  const url = hubUrl(env);
  const key = env["HUB_API_KEY"];

  const fetched = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, {
      ...init,
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { ...(key ? { "X-API-Key": key } : {}), "Content-Type": "application/json" },
    });

  const ask = async (path: string, init: RequestInit = {}): Promise<Json> => {
    if (!key)
      throw new CommandError("There is no key: set HUB_API_KEY in .env to a key of the hub with all scopes.");
    const response = await fetched(path, init).catch((cause: unknown) => {
      throw new CommandError(
        `No hub answers at ${url}. Start it (npm run pm2:start, or npm start), or set HUB_URL.`,
        { cause },
      );
    });
    const body = await bodyOf(response);
    if (response.ok && body["success"] === true) return recordOf(body["data"]);
    throw new CommandError(refusal(response.status, body, url));
  };

  const calls: HubCalls = {
    url,
    get: (path) => ask(path),
    send: (method, path, body) => ask(path, { method, body: JSON.stringify(body ?? {}) }),
    all: async (path, plural) => {
      const rows: Json[] = [];
      const join = path.includes("?") ? "&" : "?";
      for (let cursor: unknown = ""; typeof cursor === "string";) {
        const page = await ask(
          `${path}${join}limit=${PAGE}${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
        );
        rows.push(...recordsOf(page[plural]));
        cursor = recordOf(page["pagination"])["nextCursor"];
      }
      return rows;
    },
    probe: async (path) => {
      const response = await fetched(path).catch(() => null); // "nobody" is an answer here
      return response === null ? null : { status: response.status, body: await bodyOf(response) };
    },
  };
  return calls;
}

const NOT_A_HUB = "NOT_A_HUB";

/** What is no JSON was not said by a hub. */
const bodyOf = async (response: Response): Promise<Json> => {
  const text = await response.text();
  try {
    return recordOf(JSON.parse(text));
  } catch {
    return { code: NOT_A_HUB };
  }
};

function refusal(status: number, { code, message }: Json, url: string): string {
  if (code === NOT_A_HUB || status < 400)
    return `What answers at ${url} (HTTP ${status}) is no hub. Check HUB_URL.`;
  const said = typeof message === "string" ? message : `HTTP ${status}`;
  if (status === 401) return `${said} HUB_API_KEY must be a key of the hub at ${url}.`;
  if (status === 403) return `${said} Use a key with all scopes and all sessions.`;
  return said;
}

export function recordOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export const recordsOf = (value: unknown): Json[] => (Array.isArray(value) ? value.map(recordOf) : []);

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
export const numberOf = (value: unknown): number => (typeof value === "number" ? value : 0);
