/** The verified bytes of a webhook → an event, or the reason why they are none. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { isEventName, parseEventData, type HubEvent } from "../../hub/contract/index.ts";
import { isIgnored } from "./ignored-events.ts";

const envelopeSchema = z.object({
  id: z.string().min(1).max(200).optional(),
  seq: z.int().min(0).default(0),
  event: z.string().min(1).max(100),
  sessionId: z.string().min(1).max(100),
  timestamp: z.iso.datetime(),
  data: z.looseObject({ sessionId: z.string(), session_db_id: z.int() }),
});
type Envelope = z.output<typeof envelopeSchema>;

export type ParsedEvent =
  | { kind: "event"; event: HubEvent }
  /** Of a newer hub: nothing here acts on it. */
  | { kind: "unknown"; name: string }
  | { kind: "problem"; problem: "Empty payload" | "Invalid JSON" | "Invalid data" };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function parseEvent(body: Uint8Array): ParsedEvent {
  if (body.length === 0) return { kind: "problem", problem: "Empty payload" };
  const json = parseJson(body);
  if (json === undefined) return { kind: "problem", problem: "Invalid JSON" };
  const envelope = envelopeSchema.safeParse(json);
  if (!envelope.success) return { kind: "problem", problem: "Invalid data" };
  const { event: name, data, id = derivedId(envelope.data, body), ...rest } = envelope.data;
  if (!isEventName(name)) return { kind: "unknown", name };
  // What was cut to fit a request may lack anything; the whole of it is read from the hub.
  if (data["truncated"] !== true && !isIgnored(name) && parseEventData(name, data) === null)
    return { kind: "problem", problem: "Invalid data" };
  return { kind: "event", event: { ...rest, id, event: name, data } };
}

/** A sender without ids repeats the same bytes: nothing less tells events of one moment apart, be they of contacts or chats. */
const derivedId = ({ sessionId, event, timestamp }: Envelope, body: Uint8Array): string =>
  [sessionId, event, timestamp, createHash("sha256").update(body).digest("hex")].join("|");

/** Undefined for what is no JSON, or no UTF-8. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
