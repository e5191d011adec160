/** A receiver's own check of a webhook's signatures, written from the published rules and not from the hub's code. */
import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const PREFIX = "whsec_";

/** What is wrong with the signatures, or null. */
export function signatureFault(
  headers: IncomingHttpHeaders,
  body: Buffer,
  secret: string,
  now: Date,
): string | null {
  const id = String(headers["webhook-id"] ?? "");
  const timestamp = String(headers["webhook-timestamp"] ?? "");
  if (id === "" || !/^\d{10}$/.test(timestamp)) return "no id or no timestamp";
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > 300) return "timestamp too far off";

  const key = secret.startsWith(PREFIX)
    ? Buffer.from(secret.slice(PREFIX.length), "base64")
    : Buffer.from(secret);
  const content = Buffer.concat([
    Buffer.from(id),
    Buffer.from("."),
    Buffer.from(timestamp),
    Buffer.from("."),
    body,
  ]);
  const standard = `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
  const offered = String(headers["webhook-signature"] ?? "").split(" ");
  if (!offered.includes(standard)) return "webhook-signature does not match";

  const hex = createHmac("sha256", Buffer.from(secret)).update(body).digest("hex");
  return headers["x-webhook-signature"] === `sha256=${hex}` ? null : "X-Webhook-Signature does not match";
}
