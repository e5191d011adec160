/** The way of one message in words: who had it when, and what each receiver answered. */
import type { Attempt } from "../core/delivery.ts";
import type { Message } from "../core/message.ts";
import type { MessageTrace } from "../core/store.ts";

interface Step {
  at: Date;
  step: "history" | "received" | "stored" | "event" | "owed" | "attempt" | "answer";
  detail: string;
}

/** `sees`: whether the reader may know of this endpoint. */
export function stepsOf(
  message: Pick<Message, "timestamp">,
  { receivedAt, events }: MessageTrace,
  sees: (endpointId: string) => boolean,
): { at: string; step: string; detail: string }[] {
  const steps: Step[] = [];
  if (receivedAt !== null)
    steps.push({ at: receivedAt, step: "received", detail: "WhatsApp handed it over." });
  if (events.length === 0)
    steps.push({
      at: new Date(message.timestamp * 1000),
      step: "history",
      detail: "Nothing was told about it: it came with the history, or its events are no longer kept.",
    });
  for (const told of events) {
    const step = told.event === "message.received" ? "stored" : "event";
    steps.push({ at: told.at, step, detail: `${told.event}, number ${told.seq}` });
    for (const delivery of told.deliveries.filter(({ endpointId }) => sees(endpointId))) {
      const to = `${told.event} to ${delivery.endpointId}`;
      if (delivery.attempts.length === 0)
        steps.push({ at: told.at, step: "owed", detail: `${to}: ${delivery.state}` });
      for (const attempt of delivery.attempts) steps.push(...tried(to, attempt));
    }
  }
  return steps
    .sort((one, other) => one.at.getTime() - other.at.getTime())
    .map(({ at, ...step }) => ({ ...step, at: at.toISOString() }));
}

function tried(to: string, { n, at, ms, status, error, responseHead }: Attempt): Step[] {
  const said = [error, responseHead].filter((text) => text !== null && text !== "").join(" ");
  const answer = status === null ? `no answer after ${ms} ms` : `${status} after ${ms} ms`;
  return [
    { at, step: "attempt", detail: `${to}, attempt ${n}` },
    {
      at: new Date(at.getTime() + ms),
      step: "answer",
      detail: `${to}: ${answer}${said === "" ? "" : `: ${said}`}`,
    },
  ];
}
