/**
 * One webhook: verified on its raw bytes, parsed, applied once, answered. Knows no framework. A 2xx is given only after
 * the CRM has it; the hub keeps and repeats everything else, so nothing is stored here.
 */
import type { HubEvent } from "../../hub/contract/index.ts";
import type { Clock } from "../clock.ts";
import { CrmMisconfigured, failureFacts, isPassing } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Action, Applied, Apply } from "../applied.ts";
import { signatureProblem, type Headers } from "./check-signature.ts";
import { createOncePerEvent } from "./once-per-event.ts";
import { parseEvent } from "./parse-event.ts";

/** The largest body that is read; the hub sends at most a quarter of it. */
export const LARGEST_BODY = 1024 * 1024;
/** Within the hub's own deadline: an answer that comes too late is no answer. */
const BUDGET_MS = 12_000;
const REMEMBERED_EVENTS = 10_000;
/** When the hub should come again, where the CRM does not say. */
const RETRY_AFTER_SECONDS = 10;
const LONGEST_TEXT = 300;
/**
 * Somebody had the hub send this again, perhaps because the CRM lost what it had: it is written anew. No signature covers the
 * header. Whoever adds it to a request that is the hub's own gets a write that changes nothing, and whoever takes it away an
 * answer without one.
 */
const REPLAY_HEADER = "x-webhook-replay";

export type ReceiveAnswer =
  | {
      success: true;
      received: true;
      event: string;
      processed: { processed: true; action: Action; message_id?: string };
    }
  | { success: false; error: string; processed?: { processed: false; error: string } };

export interface Received {
  status: number;
  headers: Record<string, string>;
  body: ReceiveAnswer;
}

export interface Receiver {
  receive(request: { headers: Headers; body: Uint8Array }): Promise<Received>;
  /** Refuses what comes from now on with 503, and resolves when what runs has ended. */
  stop(): Promise<void>;
  idle(): Promise<void>;
}

export function createReceiver({
  secrets,
  acceptLegacy,
  apply,
  noticed,
  mistrusted = () => undefined,
  clock,
  log,
  budgetMs = BUDGET_MS,
}: {
  /** Asked for every request: two during a rotation. */
  secrets: () => string[];
  acceptLegacy: boolean;
  apply: Apply;
  /** Told every event that is in the CRM now, and what became of it. */
  noticed: (event: HubEvent, action: Action) => void;
  /** Told of each request that is signed with none of the secrets: the hub may have another one. */
  mistrusted?: () => void;
  clock: Clock;
  log: Log;
  budgetMs?: number;
}): Receiver {
  const once = createOncePerEvent<Applied>({
    most: REMEMBERED_EVENTS,
    isDone: ({ rejected }) => rejected === undefined,
  });
  let isStopping = false;

  const applyNew = async (event: HubEvent): Promise<Applied> => {
    const applied = await apply(event);
    if (applied.rejected === undefined && event.seq > 0) noticed(event, applied.action);
    return applied;
  };

  const applyOnce = async (event: HubEvent, isReplay: boolean): Promise<Received> => {
    const facts = { eventId: event.id, seq: event.seq, event: event.event, sessionId: event.sessionId };
    const { result, isRepeat } = once.run(event.id, () => applyNew(event), { again: isReplay });
    try {
      const applied = await within(budgetMs, result);
      if (applied === null) {
        log.warn({ ...facts, budgetMs }, "webhook.slow");
        return later("The CRM needs longer than a request may take; the write goes on.");
      }
      log.debug({ ...facts, action: applied.action, isRepeat }, "webhook.applied");
      return applied.rejected === undefined
        ? taken(event.event, applied, isRepeat)
        : rejected(applied.rejected);
    } catch (error) {
      if (isPassing(error)) log.warn({ ...facts, ...failureFacts(error) }, "webhook.failed");
      else log.error({ ...facts, ...failureFacts(error) }, "webhook.broken");
      return failureAnswer(error);
    }
  };

  return {
    receive: async ({ headers, body }) => {
      if (isStopping) return later("The bridge is shutting down.");
      if (body.length > LARGEST_BODY) return refused(413, "Payload too large");
      const lower = lowerCase(headers);
      const problem = signatureProblem({
        headers: lower,
        body,
        secrets: secrets(),
        acceptLegacy,
        now: clock.now(),
      });
      if (problem !== null) {
        log.warn({ problem: problem.text, bytes: body.length }, "webhook.refused");
        if (problem.isForeign) mistrusted();
        return refused(401, problem.text);
      }
      const parsed = parseEvent(body);
      switch (parsed.kind) {
        case "problem":
          log.warn({ problem: parsed.problem, bytes: body.length }, "webhook.refused");
          return refused(400, parsed.problem);
        case "unknown":
          return taken(parsed.name, { action: "ignored" }, false);
        case "event":
          return applyOnce(parsed.event, lower[REPLAY_HEADER] === "1");
      }
    },
    stop: async () => {
      isStopping = true;
      await once.idle();
    },
    idle: () => once.idle(),
  };
}

const lowerCase = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** Null when the time is over; the work goes on. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

const taken = (event: string, { action, messageId }: Applied, isRepeat: boolean): Received => ({
  status: 200,
  headers: {},
  body: {
    success: true,
    received: true,
    event,
    processed: {
      processed: true,
      action: isRepeat ? "duplicate" : action,
      ...(messageId === undefined ? {} : { message_id: messageId }),
    },
  },
});

const refused = (status: number, error: string): Received => ({
  status,
  headers: {},
  body: { success: false, error },
});

function rejected(why: string): Received {
  const error = why.slice(0, LONGEST_TEXT);
  return {
    status: 422,
    headers: {},
    body: { success: false, error, processed: { processed: false, error } },
  };
}

const later = (error: string, seconds: number | null = null): Received => ({
  status: 503,
  headers: { "retry-after": String(Math.max(1, Math.ceil(seconds ?? RETRY_AFTER_SECONDS))) },
  body: { success: false, error: error.slice(0, LONGEST_TEXT) },
});

/** What the hub's log of deliveries will show; of a fault of ours nothing but that it was one. */
function failureAnswer(error: unknown): Received {
  if (!isPassing(error)) return later("Something went wrong inside the bridge; its log says what.");
  return later(error.message, error instanceof CrmMisconfigured ? null : error.retryAfterSeconds);
}
