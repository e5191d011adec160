/** The headers of one webhook request: who it is for, which attempt, and the signatures over its bytes. */
import { randomUUID } from "node:crypto";
import { DEFAULT_SIGNATURE_HEADER, presetHeaders, sign, signBody } from "../contract/signature.ts";
import type { Endpoint } from "../core/endpoint.ts";

/** Secrets as they are displayed, the current one first. */
export interface Signing {
  secret: string;
  previous: string | null;
}

/** What the headers say about the event and the attempt. */
export interface Shipment {
  eventId: string;
  event: string;
  sessionId: string;
  seq: number;
  /** From 1. */
  attempt: number;
  replay: boolean;
  /** The frozen bytes of the event. */
  body: Buffer;
}

type Target = Pick<Endpoint, "headers" | "presets" | "signatureHeaderName">;

export function webhookHeaders(
  shipment: Shipment,
  { endpoint, signing, userAgent, at }: { endpoint: Target; signing: Signing; userAgent: string; at: Date },
): Record<string, string> {
  const { eventId: id, body } = shipment;
  const timestamp = Math.floor(at.getTime() / 1000);
  const secrets = signing.previous === null ? [signing.secret] : [signing.secret, signing.previous];
  const headers: Record<string, string> = {
    ...endpoint.headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(body.length),
    "user-agent": userAgent,
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": sign(secrets, { id, timestamp, body }),
    "X-Webhook-Event": shipment.event,
    "X-Webhook-Session": shipment.sessionId,
    "X-Webhook-Timestamp": String(at.getTime()),
    "X-Webhook-Signature": signBody(signing.secret, body),
    "X-Webhook-Seq": String(shipment.seq),
    "X-Webhook-Attempt": String(shipment.attempt),
  };
  if (shipment.replay) headers["X-Webhook-Replay"] = "1";
  for (const preset of endpoint.presets)
    Object.assign(
      headers,
      presetHeaders(preset, {
        secret: signing.secret,
        body,
        requestId: randomUUID(),
        signatureHeaderName: endpoint.signatureHeaderName,
      }),
    );
  return headers;
}

/** Names an endpoint's own headers must not take: the hub sets them, or they belong to the connection. */
const OWN_NAMES = new Set([
  "content-type",
  "content-length",
  "user-agent",
  "host",
  "connection",
  "transfer-encoding",
  "keep-alive",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "accept-encoding",
  "x-hub-signature-256",
  "x-frappe-webhook-signature",
  DEFAULT_SIGNATURE_HEADER.toLowerCase(),
]);

export const isOwnHeader = (name: string): boolean =>
  OWN_NAMES.has(name.toLowerCase()) || /^(x-)?webhook-|^proxy-/i.test(name);
