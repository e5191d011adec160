/** Sending through the hub, now or when it is back. A repeat of the same call under the same Idempotency-Key sends nothing twice. */
import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import { mayBeRecipient, sendMessageSchema } from "../../hub/contract/index.ts";
import type { CrmAdapter } from "../adapter.ts";
import { BridgeError } from "../errors.ts";
import type { HubClient } from "../hub-client.ts";
import { isMedia, MEDIA_TYPES } from "../outgoing/media-types.ts";
import type { Outgoing, SendOutcome } from "../outgoing/outgoing.ts";
import { method, word, type Call, type Method } from "./method.ts";
import { sessionIdNamed, type KnownSessions } from "./session-name.ts";

const OBJECTS = ["location", "contact", "poll", "reaction"] as const;

export interface MessageParts {
  hub: HubClient;
  adapter: CrmAdapter;
  connections: KnownSessions;
  outgoing: Pick<Outgoing, "send">;
}

export function messageMethods({ outgoing, ...named }: MessageParts): Method[] {
  return [
    method({
      name: "api.messages.send_message",
      role: "admin",
      args: {
        session_name: word,
        to: word,
        message: z.unknown().optional(),
        message_type: z
          .enum(["text", ...MEDIA_TYPES, ...OBJECTS], "is not a type that can be sent")
          .default("text"),
        media_url: z.url({ protocol: /^https?$/, error: "use an http(s) URL" }).optional(),
      },
      run: async ({ session_name: name, to, message, message_type: type, media_url: url }, call) => {
        const body = bodyOf(type, message, url);
        refuseImpossible(to, body);
        const { sessionId, away } = await sessionIdNamed(name, named);
        const order = { sessionId, to, type, message: body };
        const mayWait = (): boolean => call.idempotencyKey !== null || call.hasLeft?.() !== true;
        return answerOf(await outgoing.send(order, { idempotencyKey: keyOf(call), mayWait, away }));
      },
    }),
  ];
}

const answerOf = (sent: SendOutcome) =>
  sent.outcome === "sent"
    ? { success: true, message_id: sent.messageId, status: sent.status }
    : {
        success: true,
        message_id: null,
        status: "queued",
        queue_id: sent.queueId,
        queued_at: sent.queuedAt,
        expires_at: sent.expiresAt,
      };

/** What the hub takes as `message` for each type. */
function bodyOf(type: string, message: unknown, url: string | undefined): unknown {
  if (isMedia(type)) {
    if (url === undefined) throw new BridgeError("VALIDATION_ERROR", `media_url: is needed for type ${type}`);
    const caption = typeof message === "string" ? { caption: message } : {};
    return type === "voice" || type === "audio"
      ? { audio: { url }, ptt: type === "voice" }
      : { [type]: { url }, ...caption };
  }
  if (type === "text") {
    if (typeof message !== "string" && typeof message !== "number")
      throw new BridgeError("VALIDATION_ERROR", "message: give the text to send");
    return String(message);
  }
  return { [type]: objectOf(message, type) };
}

/** What can never be sent is refused at once: kept for a hub that is away, it would fail when nobody looks any more. */
function refuseImpossible(to: string, body: unknown): void {
  if (!mayBeRecipient(to))
    throw new BridgeError("VALIDATION_ERROR", "to: use digits with the country code, or a WhatsApp address");
  const checked =
    typeof body === "string"
      ? sendMessageSchema.safeParse({ text: body })
      : sendMessageSchema.safeParse(body);
  if (checked.success) return;
  const problems = checked.error.issues.map(
    ({ path, message }) => `${["message", ...path].join(".")}: ${message}`,
  );
  throw new BridgeError("VALIDATION_ERROR", problems.join("; "));
}

function objectOf(message: unknown, type: string): Record<string, unknown> {
  const value = typeof message === "string" ? parsed(message) : message;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new BridgeError("VALIDATION_ERROR", `message: give a JSON object for type ${type}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BridgeError("VALIDATION_ERROR", "message: is not JSON", { cause });
  }
}

/** Callers choose their own keys, so the same word of two callers must not meet at the hub. */
const keyOf = ({ caller, idempotencyKey }: Call): string =>
  idempotencyKey === null
    ? `bridge-${randomUUID()}`
    : `bridge-${createHash("sha256").update(`${caller}\n${idempotencyKey}`).digest("hex")}`;
