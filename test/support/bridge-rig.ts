/** The bridge as a whole on a real port, over a CRM in memory (or what a test puts there) and a hub that tests play. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { startBridge, type Bridge, type BridgeOverrides } from "../../bridge/bridge.ts";
import { readBridgeConfig } from "../../bridge/config.ts";
import type { RootLog } from "../../bridge/log.ts";
import { eventBody, type HubEvent } from "../../hub/contract/index.ts";
import { createFakeHub, type FakeHub } from "./fake-hub.ts";
import { fixedClock, type FixedClock } from "./fixed-clock.ts";
import { recordOf } from "./http-rig.ts";
import { logBook, type LogBook } from "./log-book.ts";
import { SECRET, signedHeaders } from "./receiver-rig.ts";

export const ADMIN = "crm:0123456789abcdef";
export const READER = "monitor:fedcba9876543210";
export const APP = "xappiens_whatsapp";
/** The real time of a run must not decide whether a webhook or a reading of the feed brings an event first. */
const NEVER = "0 0 29 2 *";

export interface BridgeAnswer {
  status: number;
  headers: Headers;
  text: string;
  json: Record<string, unknown>;
  /** `message` of a method's answer. */
  message: Record<string, unknown>;
}

interface Asked {
  key?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface BridgeRig {
  url: string;
  bridge: Bridge;
  /** What the bridge has for a hub, unless the environment names another. */
  hub: FakeHub;
  clock: FixedClock;
  log: LogBook;
  dir: string;
  call(verb: string, path: string, asked?: Asked): Promise<BridgeAnswer>;
  /** POST of a method by its name after the app's. */
  method(name: string, args?: Record<string, unknown>, asked?: Asked): Promise<BridgeAnswer>;
  /** Sends an event as the hub does. */
  push(event: HubEvent, path?: string): Promise<BridgeAnswer>;
}

export interface BridgeRigOptions {
  env?: Record<string, string>;
  /** Fills the hub before the bridge starts. */
  given?: (hub: FakeHub) => void;
  overrides?: BridgeOverrides;
}

export async function openBridgeRig({
  env = {},
  given,
  overrides = {},
}: BridgeRigOptions = {}): Promise<BridgeRig> {
  const dir = await mkdtemp(join(tmpdir(), "bridge-"));
  const clock = fixedClock();
  const hub = createFakeHub({ now: () => clock.now() });
  given?.(hub);
  const log = logBook();
  const root: RootLog = { ...log, child: () => log };
  const config = readBridgeConfig({
    BRIDGE_PORT: "0",
    BRIDGE_DATA_DIR: dir,
    BRIDGE_HUB_API_KEY: "unused",
    BRIDGE_WEBHOOK_SECRET: SECRET,
    BRIDGE_CRM: "memory",
    BRIDGE_METHOD_KEYS: `${ADMIN},${READER}:read`,
    BRIDGE_RECONCILE: NEVER,
    ...env,
  });
  const bridge = await startBridge(config, root, {
    clock,
    ...("BRIDGE_HUB_URL" in env ? {} : { hub }),
    keepUp: NEVER,
    ...overrides,
  });
  onTestFinished(async () => {
    await bridge.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const url = bridge.url ?? "";

  const call: BridgeRig["call"] = async (verb, path, asked = {}) =>
    answerOf(await fetch(url + path, { method: verb, ...requestOf(asked) }));
  return {
    url,
    bridge,
    hub,
    clock,
    log,
    dir,
    call,
    method: (name, args = {}, asked = {}) =>
      call("POST", `/api/method/${APP}.${name}`, { body: args, ...asked }),
    push: (event, path = "/webhook") => {
      const body = eventBody(event);
      const headers = signedHeaders(body, { id: event.id, now: clock.now() });
      return call("POST", path, {
        key: null,
        body,
        headers: { ...headers, "Content-Type": "application/json" },
      });
    },
  };
}

function requestOf({ key = ADMIN, body, headers = {} }: Asked): RequestInit {
  return {
    headers: {
      ...(key === null ? {} : { Authorization: `token ${key}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  };
}

async function answerOf(response: Response): Promise<BridgeAnswer> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  const json = recordOf(isJson ? JSON.parse(text) : {});
  const { message } = json;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json,
    message: typeof message === "object" && message !== null ? recordOf(message) : {},
  };
}

export const ANA = "34600111222@c.us";

/** A session with one person, one chat and three messages. */
export function withPeople(hub: FakeHub): void {
  hub.store.addSession({ sessionId: "s1", sessionName: "Front desk" });
  hub.store.addContact("s1", { id: ANA, name: "Ana" });
  hub.store.addChat("s1", { chatId: ANA, name: "Ana" });
  for (let n = 1; n <= 3; n++) hub.store.addMessage("s1", { chatId: ANA, content: `text ${n}` });
}

export const rigWithPeople = (env: Record<string, string> = {}): Promise<BridgeRig> =>
  openBridgeRig({ env, given: withPeople });
