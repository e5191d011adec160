/** The resources of those who run the hub: endpoints, deliveries, keys and users, as schemas. */
import { z } from "zod";
import { EVENT_NAMES } from "./events.ts";
import { PRESETS } from "./signature.ts";

const isoTime = z.iso.datetime();

const sessionsSchema = z.union([z.literal("*"), z.array(z.string()).max(1000)]);

export const endpointSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    description: z.string(),
    sessions: sessionsSchema,
    events: z.array(z.enum(["*", ...EVENT_NAMES])),
    format: z.literal("native"),
    ordering: z.enum(["chat", "session"]),
    ack: z.enum(["body", "status"]),
    presets: z.array(z.enum(PRESETS)),
    headers: z.array(z.string()).describe("Names only: values are never shown"),
    timeoutMs: z.int(),
    concurrency: z.int(),
    enabled: z.boolean(),
    managedBy: z.enum(["session", "default"]).nullable(),
    client: z.string().nullable(),
    includeQr: z.boolean(),
    signatureHeaderName: z.string().nullable(),
    secretFingerprints: z
      .array(z.string())
      .describe(
        "Of the secrets that sign now, the newest first: 16 hex digits of HMAC-SHA256(secret, `fingerprint of the secret of <id>`). Empty where the secret cannot be read",
      ),
    ca: z
      .array(z.object({ subject: z.string(), validUntil: isoTime }))
      .describe("Authorities of its own, that it is trusted by beside the system's"),
    state: z.enum(["active", "paused", "failing"]),
    breaker: z.object({ state: z.enum(["closed", "open", "probing"]), until: isoTime.nullable() }),
    lastSuccessAt: isoTime.nullable(),
    lastError: z.string().nullable(),
    pending: z.int(),
    dead: z.int(),
    createdAt: isoTime,
  })
  .meta({ id: "Endpoint" });

export const deliveryStateSchema = z.enum([
  "pending",
  "sending",
  "retrying",
  "delivered",
  "skipped",
  "dead",
  "dismissed",
]);

export const deliverySchema = z
  .object({
    id: z.string(),
    seq: z.int(),
    eventId: z.string(),
    event: z.enum(EVENT_NAMES),
    sessionId: z.string(),
    chatId: z.string().nullable(),
    endpointId: z.string(),
    lane: z.string(),
    state: deliveryStateSchema,
    attempts: z.int(),
    nextAttemptAt: isoTime.nullable(),
    lastStatus: z.int().nullable(),
    lastError: z.string().nullable(),
    failure: z.enum(["event", "endpoint", "soft", "hub"]).nullable(),
    createdAt: isoTime,
    doneAt: isoTime.nullable(),
  })
  .meta({ id: "Delivery" });

export const replaySchema = z
  .object({
    job: z.string(),
    state: z.enum(["running", "done"]),
    filter: z
      .object({
        endpointId: z.string(),
        sessionId: z.string(),
        chatId: z.string(),
        state: deliveryStateSchema,
        event: z.enum(EVENT_NAMES),
        since: isoTime,
        until: isoTime,
        afterSeq: z.int(),
      })
      .partial()
      .describe("What was asked for"),
    matched: z
      .int()
      .describe("How many matched when it began; those that were owed anyway are not sent again"),
    replayed: z.int().describe("How many are due again by now; `/api/deliveries` tells what became of them"),
    startedAt: isoTime,
    finishedAt: isoTime.nullable(),
  })
  .meta({ id: "Replay" });

export const scopeSchema = z.enum(["read", "send", "media", "webhooks", "admin"]);

/** An endpoint that sessions are given when they are made. */
export const endpointTemplateSchema = z
  .object({
    url: z.string().min(1).max(2048),
    events: z
      .array(z.enum(["*", ...EVENT_NAMES]))
      .min(1)
      .max(100),
    ordering: z.enum(["chat", "session"]),
    ack: z.enum(["body", "status"]),
    presets: z.array(z.enum(PRESETS)).max(PRESETS.length),
  })
  .meta({ id: "EndpointTemplate" });

export const keySettingsSchema = z
  .object({
    dedupeSeconds: z.int().min(0).max(3600),
    ratePerMinute: z.int().min(1).max(100_000),
    sendPerMinute: z.int().min(1).max(10_000),
    defaultCountry: z
      .string()
      .regex(/^\d{1,4}$/, "use the digits of a country code")
      .nullable(),
    nationalDigits: z.int().min(4).max(14).nullable(),
    jidForm: z
      .enum(["c.us", "s.whatsapp.net"])
      .nullable()
      .describe("Of the sessions it makes; null: as the hub is set to (`HUB_JID_FORM`)"),
    defaultEndpoint: endpointTemplateSchema
      .nullable()
      .describe("Who hears of the sessions it makes with `fromFrappe` and without a `webhookUrl`"),
  })
  .meta({ id: "KeySettings" });

export const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(scopeSchema),
    sessions: sessionsSchema,
    allowedCidrs: z
      .array(z.string())
      .describe(
        "Where calls with it may come from; empty: from anywhere. A call through a proxy that is not trusted (`HUB_TRUSTED_PROXIES`) is in no range",
      ),
    client: z.string(),
    settings: keySettingsSchema,
    expiresAt: isoTime.nullable(),
    createdAt: isoTime,
  })
  .meta({ id: "Key" });

export const userSchema = z
  .object({
    id: z.string(),
    identifier: z.string().describe("What is typed to log in"),
    scopes: z.array(scopeSchema),
    sessions: sessionsSchema,
    createdAt: isoTime,
    disabledAt: isoTime.nullable(),
  })
  .meta({ id: "User" });

export const auditEntrySchema = z
  .object({
    n: z.int().describe("Place in the chain, without a hole"),
    at: isoTime,
    actor: z.string().describe("Id of a key or a user, or operator, hub, nobody"),
    actorName: z.string().nullable(),
    action: z.string(),
    target: z.string().nullable(),
    outcome: z.enum(["done", "repeated", "refused", "failed"]),
    details: z.record(z.string(), z.unknown()),
    hash: z.string().describe("SHA-256 over the hash of the entry before and this entry"),
  })
  .meta({ id: "AuditEntry" });

/** What an erasure took. */
export const erasedSchema = z
  .object({ messages: z.int(), files: z.int(), events: z.int(), stanzas: z.int() })
  .meta({ id: "Erased" });
