/** The running bridge, as its operator's commands call it: where it is and with which key, found as the bridge itself finds it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bareHost, urlAt } from "../bridge/http/host.ts";
import { METHOD_KEY_FILE, parseMethodKey } from "../bridge/http/method-keys.ts";

export interface BridgeCaller {
  url: string;
  app: string;
  /** Runs a whitelisted method. @throws Error in plain words */
  method(name: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  get(path: string): Promise<Record<string, unknown>>;
  /** The answer whatever its status. */
  probe(path: string): Promise<Record<string, unknown>>;
  /** The key, for requests of another kind. */
  headers: Record<string, string>;
}

/** Where a bridge that listens everywhere is found from its own machine. */
const NEAREST: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

export function callBridge(): BridgeCaller {
  if (existsSync(".env")) process.loadEnvFile(".env");
  const { env } = process;
  const host = bareHost(env["BRIDGE_HOST"] || "127.0.0.1");
  const url = env["BRIDGE_URL"] || urlAt(NEAREST[host] ?? host, env["BRIDGE_PORT"] || "3001");
  const app = env["BRIDGE_APP"] || "xappiens_whatsapp";
  const headers = {
    "X-API-Key": keyFrom(env["BRIDGE_METHOD_KEYS"], env["BRIDGE_DATA_DIR"] || "./bridge-data"),
  };

  const answered = async (
    path: string,
    init: RequestInit = {},
  ): Promise<{ status: number; isOk: boolean; body: Record<string, unknown> }> => {
    const response = await fetch(url + path, {
      ...init,
      headers: { ...headers, "Content-Type": "application/json" },
    }).catch((cause: unknown) => {
      throw new Error(`No bridge answers at ${url}; start it with \`npm run bridge\`.`, { cause });
    });
    const { status, ok: isOk } = response;
    const body = jsonOf(await response.text());
    if (body !== null) return { status, isOk, body };
    throw new Error(`What answers at ${url} (${status}) is no bridge: check BRIDGE_URL, or BRIDGE_PORT.`);
  };
  const ask = async (path: string, init: RequestInit = {}): Promise<Record<string, unknown>> => {
    const { status, isOk, body } = await answered(path, init);
    if (!isOk) throw new Error(`${status}: ${errorIn(body)}${status === 401 ? ` ${WRONG_KEY}` : ""}`);
    return body;
  };
  return {
    url,
    app,
    headers,
    get: (path) => ask(path),
    probe: async (path) => (await answered(path)).body,
    method: async (name, args = {}) =>
      recordOf(
        (await ask(`/api/method/${app}.${name}`, { method: "POST", body: JSON.stringify(args) }))["message"],
      ),
  };
}

const WRONG_KEY = "Check BRIDGE_METHOD_KEYS, and that BRIDGE_DATA_DIR is the folder of the running bridge.";

/** Null for what is no JSON object: a page for people. */
function jsonOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null; // how the parser says that it is no JSON
  }
}

/** Methods fail with an object in `message`, all else with the text itself. */
function errorIn(body: Record<string, unknown>): string {
  const { error } = recordOf(body["message"]);
  const said = [error, body["message"], body["error"]].find((one) => typeof one === "string");
  return typeof said === "string" ? said : "the bridge refused, and does not say why.";
}

function keyFrom(configured: string | undefined, dataDir: string): string {
  const keys = (configured ?? "").split(",").map((text) => parseMethodKey(text.trim()));
  const key = keys.find((one) => one?.role === "admin") ?? keys.find((one) => one !== null);
  if (key) return `${key.key}:${key.secret}`;
  const file = join(dataDir, METHOD_KEY_FILE);
  const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (kept !== "") return kept;
  throw new Error(`There is no key: set BRIDGE_METHOD_KEYS, or start the bridge once (it writes ${file}).`);
}

export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export const recordsOf = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.map(recordOf) : [];
