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

  const ask = async (path: string, init: RequestInit = {}): Promise<Record<string, unknown>> => {
    const response = await fetch(url + path, {
      ...init,
      headers: { ...headers, "Content-Type": "application/json" },
    }).catch((cause: unknown) => {
      throw new Error(`No bridge answers at ${url}; start it with \`npm run bridge\`.`, { cause });
    });
    const body = recordOf(await response.json());
    const told = recordOf(body["message"] ?? body);
    if (!response.ok) {
      const { error } = told;
      throw new Error(`${response.status}: ${typeof error === "string" ? error : "the bridge refused"}`);
    }
    return body;
  };
  return {
    url,
    app,
    headers,
    get: (path) => ask(path),
    method: async (name, args = {}) =>
      recordOf(
        (await ask(`/api/method/${app}.${name}`, { method: "POST", body: JSON.stringify(args) }))["message"],
      ),
  };
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

/** Runs a command; what goes wrong is said in one line, and the exit status tells. */
export async function command(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
