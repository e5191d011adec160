/** Environment → one frozen Config, or one error that names every problem. The names are part of the contract. */
import { z } from "zod";
import { RETENTION_DAYS } from "./contract/resources.ts";
import { HubError } from "./core/errors.ts";
import {
  addressRanges,
  apiKey,
  count,
  host,
  masterKey,
  publicUrl,
  url,
  webhookSecret,
  webhookUrl,
} from "./setting-kinds.ts";

export interface Config {
  host: string;
  port: number;
  dataDir: string;
  /** Null: made at the first start and printed once. */
  apiKey: string | null;
  /** Null: kept as a file of mode 0600 in the data folder. */
  masterKey: string | null;
  /** The one before, while a new one takes its place. */
  masterKeyPrevious: string | null;
  /** Where the key is kept if it is not configured; null: in the data folder. */
  masterKeyFile: string | null;
  /** Base of the URLs handed to CRMs, without a trailing slash; null: where the hub listens. */
  publicUrl: string | null;
  webhook: { url: string; secret: string } | null;
  webhookAllowCidrs: string[];
  /** Whose word about the address of a caller is believed. */
  trustedProxies: string[];
  jidForm: "c.us" | "s.whatsapp.net";
  /** Messages of sessions that say nothing else go after so many days; null: they stay. */
  retentionDays: number | null;
  logLevel: (typeof LOG_LEVELS)[number];
  sends: {
    enabled: boolean;
    /** 0: as many as come. */
    perMinute: number;
    burst: number;
    chatGapMs: number;
    newChatsPerDay: number;
    queue: number;
  };
  /** May the process end itself to cure sessions that nothing else helps. */
  watchdogRestart: boolean;
  /** Whether WhatsApp is asked for pictures and about texts of contacts that somebody looked at, or wants to have looked up. */
  pictures: boolean;
  alerts: {
    /** Failed tries in a row after which people are told. */
    after: number;
    mail: { url: string; to: string[]; from: string } | null;
    /** Hours without e-mails, as `22:00-07:00`. */
    quiet: string | null;
  };
  /** Where WhatsApp is; null: WhatsApp itself. */
  webSocketUrl: string | null;
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

interface Problem {
  name: string;
  problem: string;
}

export class ConfigError extends Error {
  constructor(problems: Problem[]) {
    super(["Invalid configuration:", ...problems.map((p) => `✖ ${p.problem}\n  → at ${p.name}`)].join("\n"));
    this.name = "ConfigError";
  }
}

const schema = z.object({
  HUB_HOST: host.default("127.0.0.1"),
  HUB_PORT: z
    .string()
    .regex(/^\d{1,5}$/, "use a port number, 0 to 65535")
    .transform(Number)
    .refine((port) => port <= 65_535, "use a port number, 0 to 65535")
    .default(3000),
  HUB_DATA_DIR: z.string().min(1).default("./data"),
  HUB_API_KEY: apiKey.optional(),
  HUB_MASTER_KEY: masterKey.optional(),
  HUB_MASTER_KEY_PREVIOUS: masterKey.optional(),
  HUB_MASTER_KEY_FILE: z.string().min(1).optional(),
  HUB_PUBLIC_URL: publicUrl.optional(),
  HUB_WEBHOOK_URL: webhookUrl.optional(),
  HUB_WEBHOOK_SECRET: webhookSecret.optional(),
  HUB_WEBHOOK_ALLOW_CIDRS: addressRanges.default([]),
  HUB_TRUSTED_PROXIES: addressRanges.default([]),
  HUB_JID_FORM: z.enum(["c.us", "s.whatsapp.net"], "use c.us or s.whatsapp.net").default("c.us"),
  HUB_RETENTION_DAYS: count(RETENTION_DAYS.most, RETENTION_DAYS.least).nullable().default(null),
  HUB_LOG_LEVEL: z.enum(LOG_LEVELS, `use one of ${LOG_LEVELS.join(", ")}`).default("info"),
  HUB_SENDING: z.enum(["on", "off"], "use on or off").default("on"),
  HUB_SEND_PER_MINUTE: count(6000, 0).default(20),
  HUB_SEND_BURST: count(1000, 1).default(5),
  HUB_SEND_CHAT_GAP_MS: count(60_000, 0).default(1000),
  HUB_SEND_NEW_CHATS_PER_DAY: count(100_000, 0).default(30),
  HUB_SEND_QUEUE: count(1_000_000, 0).default(1000),
  HUB_WATCHDOG_RESTART: z.enum(["on", "off"], "use on or off").default("on"),
  HUB_PICTURES: z.enum(["on", "off"], "use on or off").default("on"),
  HUB_ALERT_AFTER: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, "use a number, 1 to 999")
    .transform(Number)
    .default(5),
  HUB_SMTP_URL: url(["smtp:", "smtps:"], "use an smtp(s) URL").optional(),
  HUB_ALERT_EMAIL: z
    .string()
    .transform((text) => text.split(",").map((part) => part.trim()))
    .refine(
      (all) => all.every((one) => z.email().safeParse(one).success),
      "use e-mail addresses, separated by commas",
    )
    .optional(),
  HUB_ALERT_FROM: z.email("use an e-mail address").optional(),
  HUB_ALERT_QUIET: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, "use hours as 22:00-07:00")
    .optional(),
  WA_WEB_SOCKET_URL: url(["ws:", "wss:"], "use a ws(s) URL").optional(),
});

/** What is wrong with settings that are right one by one. */
function problemsBetween(given: Record<string, string | undefined>): Problem[] {
  const problems: Problem[] = [];
  if (given["HUB_WEBHOOK_URL"] !== undefined && given["HUB_WEBHOOK_SECRET"] === undefined)
    problems.push({
      name: "HUB_WEBHOOK_SECRET",
      problem: "is needed beside HUB_WEBHOOK_URL: nothing is sent unsigned",
    });
  if (given["HUB_WEBHOOK_SECRET"] !== undefined && given["HUB_WEBHOOK_URL"] === undefined)
    problems.push({ name: "HUB_WEBHOOK_URL", problem: "is needed beside HUB_WEBHOOK_SECRET" });
  if ((given["HUB_SMTP_URL"] === undefined) !== (given["HUB_ALERT_EMAIL"] === undefined))
    problems.push({
      name: given["HUB_SMTP_URL"] === undefined ? "HUB_SMTP_URL" : "HUB_ALERT_EMAIL",
      problem: "HUB_SMTP_URL and HUB_ALERT_EMAIL need each other",
    });
  if (given["HUB_MASTER_KEY"] !== undefined && given["HUB_MASTER_KEY_FILE"] !== undefined)
    problems.push({
      name: "HUB_MASTER_KEY_FILE",
      problem: "set either HUB_MASTER_KEY or HUB_MASTER_KEY_FILE, not both",
    });
  return problems;
}

/** @throws ConfigError naming every wrong setting. An empty value counts as not set. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = schema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => ({ name: String(issue.path[0]), problem: issue.message }));
  problems.push(...problemsBetween(given));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);

  const value = parsed.data;
  return Object.freeze({
    host: value.HUB_HOST,
    port: value.HUB_PORT,
    dataDir: value.HUB_DATA_DIR,
    apiKey: value.HUB_API_KEY ?? null,
    masterKey: value.HUB_MASTER_KEY ?? null,
    masterKeyPrevious: value.HUB_MASTER_KEY_PREVIOUS ?? null,
    masterKeyFile: value.HUB_MASTER_KEY_FILE ?? null,
    publicUrl: value.HUB_PUBLIC_URL ?? null,
    webhook: webhookOf(value),
    webhookAllowCidrs: value.HUB_WEBHOOK_ALLOW_CIDRS,
    trustedProxies: value.HUB_TRUSTED_PROXIES,
    jidForm: value.HUB_JID_FORM,
    retentionDays: value.HUB_RETENTION_DAYS,
    logLevel: value.HUB_LOG_LEVEL,
    sends: {
      enabled: value.HUB_SENDING === "on",
      perMinute: value.HUB_SEND_PER_MINUTE,
      burst: value.HUB_SEND_BURST,
      chatGapMs: value.HUB_SEND_CHAT_GAP_MS,
      newChatsPerDay: value.HUB_SEND_NEW_CHATS_PER_DAY,
      queue: value.HUB_SEND_QUEUE,
    },
    watchdogRestart: value.HUB_WATCHDOG_RESTART === "on",
    pictures: value.HUB_PICTURES === "on",
    alerts: {
      after: value.HUB_ALERT_AFTER,
      mail: mailOf(value),
      quiet: value.HUB_ALERT_QUIET ?? null,
    },
    webSocketUrl: value.WA_WEB_SOCKET_URL ?? null,
  });
}

const webhookOf = ({
  HUB_WEBHOOK_URL: url,
  HUB_WEBHOOK_SECRET: secret,
}: z.output<typeof schema>): Config["webhook"] =>
  url === undefined || secret === undefined ? null : { url, secret };

/** What shows only later of the hub's own webhook (its name leads where nothing may call), by the names of its settings. */
export function inSettingNames(error: unknown): never {
  const fields: unknown = error instanceof HubError ? error.details?.["fields"] : undefined;
  if (!Array.isArray(fields)) throw error;
  const parsed = z.array(z.object({ path: z.string(), problem: z.string() })).parse(fields);
  throw new ConfigError(
    parsed.map(({ path, problem }) => ({
      name: path === "secret" ? "HUB_WEBHOOK_SECRET" : "HUB_WEBHOOK_URL",
      problem,
    })),
  );
}

function mailOf({
  HUB_SMTP_URL: url,
  HUB_ALERT_EMAIL: to,
  HUB_ALERT_FROM: from,
}: z.output<typeof schema>): Config["alerts"]["mail"] {
  const [first] = to ?? [];
  // Without a sender of its own a letter comes from the one who gets it, which any mail server knows.
  return url === undefined || to === undefined || first === undefined
    ? null
    : { url, to, from: from ?? first };
}
