/** Tries an endpoint once and says at each step what worked, and what helps where it did not. */
import { eventBody, HUB_SESSION, type EventName } from "../contract/events.ts";
import { judge } from "../core/acknowledgement.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { newId } from "../core/ids.ts";
import type { AddressGuard } from "../core/webhook-address.ts";
import { ALLOW_SETTING } from "../core/webhook-address.ts";
import { createSender, type Exchange } from "./sender.ts";
import { webhookHeaders, type Signing } from "./wire-headers.ts";

const HOPS = ["dns", "connect", "tls", "http", "signature", "ack"] as const;

export interface Hop {
  hop: (typeof HOPS)[number];
  ok: boolean;
  ms: number | null;
  detail: string;
  advice: string | null;
}

export interface EndpointTest {
  hops: Hop[];
  /** HTTP status, null when no answer came. */
  status: number | null;
  /** Beginning of the answer. */
  body: string;
}

const SHOWN_BODY = 2048;

export async function tryEndpoint(
  endpoint: Endpoint,
  {
    event = "endpoint.test",
    signing,
    guard,
    userAgent,
    now,
  }: { event?: EventName | undefined; signing: Signing; guard: AddressGuard; userAgent: string; now: Date },
): Promise<EndpointTest> {
  const shipment = {
    eventId: newId("evt", now),
    event,
    sessionId: HUB_SESSION,
    seq: 0,
    attempt: 1,
    replay: false,
  };
  const body = Buffer.from(
    eventBody({
      id: shipment.eventId,
      seq: shipment.seq,
      event,
      sessionId: HUB_SESSION,
      timestamp: now.toISOString(),
      data: { sessionId: HUB_SESSION, session_db_id: 0, hello: true },
    }),
  );
  const sender = createSender(endpoint, guard);
  try {
    const headers = webhookHeaders({ ...shipment, body }, { endpoint, signing, userAgent, at: now });
    return report(endpoint, await sender.post(body, headers), now);
  } finally {
    sender.close();
  }
}

function report(endpoint: Endpoint, exchange: Exchange, now: Date): EndpointTest {
  const { answer, failedAt } = exchange;
  const stopsAt = failedAt === null ? null : HOPS.indexOf(failedAt);
  const hops = HOPS.map((hop, index): Hop => {
    if (stopsAt !== null && answer.kind === "unanswered") {
      if (index === stopsAt) return { hop, ok: false, ms: null, ...trouble(hop, answer.code) };
      if (index > stopsAt) return { hop, ok: false, ms: null, detail: "not reached", advice: null };
    }
    return reached(hop, endpoint, exchange, now);
  });
  return answer.kind === "answered"
    ? { hops, status: answer.status, body: answer.body.slice(0, SHOWN_BODY) }
    : { hops, status: null, body: "" };
}

function reached(hop: Hop["hop"], endpoint: Endpoint, { answer, steps, ms }: Exchange, now: Date): Hop {
  const good = (detail: string, took: number | undefined): Hop => ({
    hop,
    ms: took ?? null,
    ...fine(detail),
  });
  switch (hop) {
    case "dns":
      return good("resolved", steps.dns);
    case "connect":
      return good("connected", steps.tcp);
    case "tls":
      return good(endpoint.url.startsWith("https:") ? "certificate accepted" : "plain http", steps.tls);
    case "http":
    case "signature":
    case "ack":
      return answer.kind === "answered"
        ? { hop, ms: hop === "http" ? ms : null, ...judged(hop, answer, endpoint, now) }
        : good("no answer", undefined);
  }
}

type Verdict = Pick<Hop, "ok" | "detail" | "advice">;
type Answered = Exchange["answer"] & { kind: "answered" };

const fine = (detail: string): Verdict => ({ ok: true, detail, advice: null });

function judged(hop: "http" | "signature" | "ack", answer: Answered, endpoint: Endpoint, now: Date): Verdict {
  const { status } = answer;
  const isSuccess = status >= 200 && status < 300;
  const result = judge(answer, endpoint.ack, now);
  const error = result.outcome === "failed" ? result.error : null;
  if (hop === "http")
    return isSuccess
      ? fine(`HTTP ${status}`)
      : { ok: false, detail: `HTTP ${status}`, advice: statusAdvice(status) };
  if (hop === "signature") return signatureVerdict(status, error, isSuccess);
  if (error !== null)
    return { ok: false, detail: error, advice: "The receiver did not take the event; its own log says why." };
  return fine(result.outcome === "skipped" ? `skipped: ${result.note}` : "acknowledged");
}

function signatureVerdict(status: number, error: string | null, isSuccess: boolean): Verdict {
  const isRefused = status === 401 || status === 403 || error?.startsWith("Invalid signature") === true;
  if (!isRefused) return fine(isSuccess ? "not refused" : "nothing said about it");
  const advice =
    "Check that the receiver has this endpoint's secret, verifies the raw body, and that its clock is right.";
  return { ok: false, detail: error ?? `HTTP ${status}`, advice };
}

function statusAdvice(status: number): string {
  if (status >= 300 && status < 400) return "Redirects are not followed: enter the address it leads to.";
  if (status === 401 || status === 403)
    return "The receiver refuses the call: check the secret and its access rules.";
  if (status === 404 || status === 405) return "Nothing takes a POST at this path: check the URL.";
  if (status === 410)
    return "The receiver says it wants no more: a delivery answered so pauses the endpoint.";
  if (status === 429) return "The receiver limits calls: lower the endpoint's concurrency.";
  return status >= 500
    ? "The receiver failed inside: its own log says why."
    : "The receiver refuses this event.";
}

function trouble(hop: Hop["hop"], code: string): { detail: string; advice: string } {
  if (code === "ADDRESS_REFUSED")
    return {
      detail: "the address must not be called",
      advice: `Private ranges are opened with ${ALLOW_SETTING}; metadata addresses never.`,
    };
  const advice: Record<Hop["hop"], string> = {
    dns: "The host name is not known: check its spelling and its DNS entry.",
    connect: "Nothing listens there, or a firewall is in between: check host, port and firewall.",
    tls: "The certificate is not valid for this name or is not trusted: renew it, send the whole chain, or give the endpoint its authority (ca).",
    http: "It connected and then gave no proper answer in time: check what listens there.",
    signature: "",
    ack: "",
  };
  return { detail: code, advice: advice[hop] };
}
