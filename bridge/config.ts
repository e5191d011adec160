/** Environment → one frozen BridgeConfig, or one error that names every problem. The names are part of the contract. */
import { join } from "node:path";
import { z } from "zod";
import { secretProblem } from "../hub/contract/index.ts";
import { crmMapSchema } from "./adapters/http/crm-map.ts";
import type { CrmConfig } from "./adapters/index.ts";
import {
  cron,
  flag,
  hour,
  httpUrl,
  jsonObject,
  list,
  plainProblem,
  port,
  publicUrl,
  timeZone,
  whole,
} from "./config-values.ts";
import { jsonSourceSchema } from "./directory/json-source-config.ts";
import type { DirectoryConfig } from "./directory/open-source.ts";
import { bareHost } from "./http/host.ts";
import { parseMethodKey, type MethodKey } from "./http/method-keys.ts";
import type { SyncLimits } from "./sync/budget.ts";

export interface BridgeConfig {
  host: string;
  port: number;
  dataDir: string;
  hub: { url: string; apiKey: string };
  /** Where the hub reaches the bridge; null: where the bridge listens, and nowhere when it does not. */
  publicUrl: string | null;
  /** The secrets accepted now: two while the hub's is being replaced. */
  webhook: { secrets: string[]; acceptLegacy: boolean };
  /** First part of the methods' dotted names, as the Frappe app it stands for is called. */
  app: string;
  crm: CrmConfig;
  /** How long an order to send may wait for a hub that is away; 0: it is refused. */
  sendTtlMs: number;
  sync: { onConnect: boolean; limits: SyncLimits };
  /** When every connected session is synced; null: never by itself. */
  autoSync: string | null;
  /** When the hub's sessions are compared with the connection registry; null: never by itself. */
  reconcile: string | null;
  directory: DirectoryConfig & {
    /** Null: no daily pass. */
    hour: number | null;
    country: string;
  };
  /** Empty: one is made at the first start, kept in the data folder and printed once. */
  methodKeys: MethodKey[];
  logLevel: (typeof LOG_LEVELS)[number];
}

/** The hub knows an Idempotency-Key for 24 hours from the first try; the last one has to be over by then. */
const LONGEST_SEND_TTL_S = 24 * 3600 - 5 * 60;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export class BridgeConfigError extends Error {
  constructor(problems: { name: string; problem: string }[]) {
    super(["Invalid configuration:", ...problems.map((p) => `✖ ${p.problem}\n  → at ${p.name}`)].join("\n"));
    this.name = "BridgeConfigError";
  }
}

const methodKeys = list
  .transform((texts, context) => {
    const keys = texts.map(parseMethodKey);
    const known = keys.filter((key) => key !== null);
    if (known.length < keys.length)
      context.addIssue({
        code: "custom",
        message:
          "use key:secret or key:secret:read, separated by commas; secrets have 16 and more letters, digits, _ and -",
      });
    if (new Set(known.map(({ key }) => key)).size < known.length)
      context.addIssue({ code: "custom", message: "use every key once" });
    return known;
  })
  .default([]);

const secrets = list
  .refine((all) => all.length >= 1 && all.length <= 2, "use one secret, or two separated by a comma")
  .superRefine((all, context) => {
    const problem = all.map(secretProblem).find((found) => found !== null);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

const schema = z.object({
  BRIDGE_HOST: z.string().transform(bareHost).default("127.0.0.1"),
  BRIDGE_PORT: port.default(3001),
  BRIDGE_DATA_DIR: z.string().default("./bridge-data"),
  BRIDGE_HUB_URL: httpUrl.default("http://127.0.0.1:3000"),
  BRIDGE_HUB_API_KEY: z
    .string("is needed: the key with which the bridge reads the hub")
    .max(200, "use at most 200 characters"),
  BRIDGE_WEBHOOK_SECRET: z.string("is needed: nothing unsigned is taken").pipe(secrets),
  BRIDGE_PUBLIC_URL: publicUrl.optional(),
  BRIDGE_ACCEPT_LEGACY_SIGNATURE: flag.default(false),
  BRIDGE_APP: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, "use a lower-case name such as xappiens_whatsapp")
    .default("xappiens_whatsapp"),
  BRIDGE_CRM: z
    .enum(["sqlite", "frappe", "http", "memory"], "use sqlite, frappe, http or memory")
    .default("sqlite"),
  FRAPPE_URL: httpUrl.optional(),
  FRAPPE_API_KEY: z.string().optional(),
  FRAPPE_API_SECRET: z.string().optional(),
  FRAPPE_TIME_ZONE: timeZone.optional(),
  FRAPPE_COPY_MEDIA: flag.default(false),
  CRM_URL: httpUrl.optional(),
  CRM_SECRET: z
    .string()
    .refine((text) => secretProblem(text) === null, "use 16 to 140 characters")
    .optional(),
  CRM_AUTH: z
    .string()
    .regex(/^[\x20-\x7e]{1,1000}$/, "use printable ASCII")
    .optional(),
  CRM_MAP: jsonObject.pipe(crmMapSchema).optional(),
  BRIDGE_SEND_TTL_S: whole(0, LONGEST_SEND_TTL_S).default(LONGEST_SEND_TTL_S),
  BRIDGE_SYNC_ON_CONNECT: flag.default(true),
  BRIDGE_SYNC_CONTACTS: whole(0, 1_000_000).default(1000),
  BRIDGE_SYNC_CHATS: whole(0, 1_000_000).default(100),
  BRIDGE_SYNC_MESSAGES_PER_CHAT: whole(0, 1_000_000).default(50),
  BRIDGE_SYNC_MESSAGE_CHATS: whole(0, 1_000_000).default(20),
  BRIDGE_SYNC_TIMEOUT_S: whole(1, 86_400).default(600),
  BRIDGE_AUTO_SYNC: cron.default("0 * * * *"),
  BRIDGE_RECONCILE: cron.default("*/5 * * * *"),
  BRIDGE_METHOD_KEYS: methodKeys,
  BRIDGE_LOG_LEVEL: z.enum(LOG_LEVELS, `use one of ${LOG_LEVELS.join(", ")}`).default("info"),
  WISPRO_URL: httpUrl.optional(),
  WISPRO_TOKEN: z.string().optional(),
  WISPRO_HOUR: hour.default(3),
  DIRECTORY_SOURCE: jsonObject.pipe(jsonSourceSchema).optional(),
  DIRECTORY_COUNTRY: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, "use the digits of a country code")
    .default("58"),
});

type Settings = z.infer<typeof schema>;

const EVERYWHERE = ["0.0.0.0", "::", "[::]"];
type Given = Record<string, string>;

/** Settings that only make sense together: the first names the choice, the others must be there with it, or must not. */
function mismatched(given: Given): { name: string; problem: string }[] {
  const crm = given["BRIDGE_CRM"] ?? "sqlite";
  const needs: [because: string, isChosen: boolean, names: string[]][] = [
    ["BRIDGE_CRM=frappe", crm === "frappe", ["FRAPPE_URL", "FRAPPE_API_KEY", "FRAPPE_API_SECRET"]],
    ["BRIDGE_CRM=http", crm === "http", ["CRM_URL"]],
    // The hub is told where to send: an address to listen at everywhere is none to send to.
    [
      `BRIDGE_HOST=${given["BRIDGE_HOST"]}`,
      EVERYWHERE.includes(given["BRIDGE_HOST"] ?? ""),
      ["BRIDGE_PUBLIC_URL"],
    ],
    ["WISPRO_URL", "WISPRO_URL" in given, ["WISPRO_TOKEN"]],
    ["WISPRO_TOKEN", "WISPRO_TOKEN" in given, ["WISPRO_URL"]],
  ];
  const both = "WISPRO_URL" in given && "DIRECTORY_SOURCE" in given;
  const tooMuch = both ? [{ name: "DIRECTORY_SOURCE", problem: "leave it out beside WISPRO_URL" }] : [];
  const tooLittle = needs.flatMap(([because, isChosen, names]) =>
    isChosen
      ? names
          .filter((name) => !(name in given))
          .map((name) => ({ name, problem: `is needed beside ${because}` }))
      : [],
  );
  return [...tooLittle, ...tooMuch];
}

/** @throws BridgeConfigError naming every wrong setting. An empty value counts as not set. */
export function readBridgeConfig(env: Record<string, string | undefined>): BridgeConfig {
  const given: Given = {};
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && value !== "") given[name] = value;
  const parsed = schema.safeParse(given, { error: plainProblem });
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => ({ name: path.join("."), problem: message }));
  problems.push(...mismatched(given));
  if (!parsed.success || problems.length > 0) throw new BridgeConfigError(problems);
  return Object.freeze(shaped(parsed.data));
}

function shaped(value: Settings): BridgeConfig {
  return {
    host: value.BRIDGE_HOST,
    port: value.BRIDGE_PORT,
    dataDir: value.BRIDGE_DATA_DIR,
    hub: { url: value.BRIDGE_HUB_URL, apiKey: value.BRIDGE_HUB_API_KEY },
    publicUrl: value.BRIDGE_PUBLIC_URL ?? null,
    webhook: { secrets: value.BRIDGE_WEBHOOK_SECRET, acceptLegacy: value.BRIDGE_ACCEPT_LEGACY_SIGNATURE },
    app: value.BRIDGE_APP,
    crm: crmOf(value),
    sendTtlMs: value.BRIDGE_SEND_TTL_S * 1000,
    sync: {
      onConnect: value.BRIDGE_SYNC_ON_CONNECT,
      limits: {
        contacts: value.BRIDGE_SYNC_CONTACTS,
        chats: value.BRIDGE_SYNC_CHATS,
        messagesPerChat: value.BRIDGE_SYNC_MESSAGES_PER_CHAT,
        messageChats: value.BRIDGE_SYNC_MESSAGE_CHATS,
        timeoutMs: value.BRIDGE_SYNC_TIMEOUT_S * 1000,
      },
    },
    autoSync: value.BRIDGE_AUTO_SYNC,
    reconcile: value.BRIDGE_RECONCILE,
    directory: {
      wispro:
        value.WISPRO_URL !== undefined && value.WISPRO_TOKEN !== undefined
          ? { url: value.WISPRO_URL, token: value.WISPRO_TOKEN }
          : null,
      json: value.DIRECTORY_SOURCE ?? null,
      hour: value.WISPRO_HOUR,
      country: value.DIRECTORY_COUNTRY,
    },
    methodKeys: value.BRIDGE_METHOD_KEYS,
    logLevel: value.BRIDGE_LOG_LEVEL,
  };
}

/** What the chosen CRM needs was found to be there before. */
function crmOf(value: Settings): CrmConfig {
  switch (value.BRIDGE_CRM) {
    case "memory":
      return { kind: "memory" };
    case "sqlite":
      return { kind: "sqlite", file: join(value.BRIDGE_DATA_DIR, "crm.db") };
    case "frappe":
      return {
        kind: "frappe",
        url: value.FRAPPE_URL ?? "",
        apiKey: value.FRAPPE_API_KEY ?? "",
        apiSecret: value.FRAPPE_API_SECRET ?? "",
        timeZone: value.FRAPPE_TIME_ZONE,
        copyMedia: value.FRAPPE_COPY_MEDIA,
      };
    case "http":
      return {
        kind: "http",
        url: value.CRM_URL ?? "",
        secret: value.CRM_SECRET,
        auth: value.CRM_AUTH,
        map: value.CRM_MAP,
      };
  }
}
