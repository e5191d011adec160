/** One try of one delivery at one endpoint: signed, sent, and judged by what came back. */
import { isSoftError, judge } from "../core/acknowledgement.ts";
import type { Clock } from "../core/clock.ts";
import type { Attempt, AttemptResult } from "../core/delivery.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Log } from "../core/log.ts";
import type { DueDelivery, OutboxStore } from "../core/store.ts";
import type { AddressGuard } from "../core/webhook-address.ts";
import { isOvertaken } from "./overtaken.ts";
import { createSender, type Exchange, type Sender } from "./sender.ts";
import { webhookHeaders, type Signing } from "./wire-headers.ts";

const RESPONSE_HEAD = 2048;
/** Signatures fail at five minutes of difference; people should hear of it before. */
const CLOCK_SKEW_MS = 60_000;

export interface Tried {
  result: AttemptResult;
  /** What the delivery log keeps; null when nothing was sent. */
  attempt: Attempt | null;
  /** Answers of this kind in a row before this one; only looked up for soft failures. */
  softFailures: number;
}

export interface Attempts {
  /** Rejects only when nothing could be sent: the store or the secrets failed. */
  make(due: DueDelivery, endpoint: Endpoint): Promise<Tried>;
  /** The next try opens its own connections; those under way keep theirs. */
  retarget(): void;
  /** Cuts what is under way. */
  close(): void;
}

export interface AttemptsParts {
  outbox: Pick<OutboxStore, "get" | "list">;
  guard: AddressGuard;
  clock: Clock;
  log: Log;
  userAgent: string;
  /** Secrets that sign now; throws when they cannot be opened. */
  signing: (endpoint: Endpoint) => Signing;
}

export function createAttempts({ outbox, guard, clock, log, userAgent, signing }: AttemptsParts): Attempts {
  let sender: Sender | null = null;
  let retired: Sender[] = [];
  let underWay = 0;
  let skewCheckedAt = 0;

  /** Closing cuts: it waits until nothing is under way. */
  const closeRetired = (): void => {
    if (underWay > 0) return;
    for (const one of retired) one.close();
    retired = [];
  };

  const noticeSkew = ({ date }: Exchange, endpointId: string): void => {
    const now = clock.now().getTime();
    if (date === null || Math.abs(now - skewCheckedAt) < CLOCK_SKEW_MS) return;
    skewCheckedAt = now;
    const skewMs = now - Date.parse(date);
    if (Math.abs(skewMs) > CLOCK_SKEW_MS) log.warn({ endpointId, skewMs }, "endpoint.clock_skew");
  };

  /** From the delivery log; they are rare enough to ask. */
  const softFailuresOf = async ({ n, failure }: DueDelivery): Promise<number> => {
    if (failure !== "soft") return 0;
    const errors = ((await outbox.get(n))?.attempts ?? []).map(({ error }) => error ?? "");
    return errors.length - 1 - errors.findLastIndex((error) => !isSoftError(error));
  };

  return {
    make: async (due, endpoint) => {
      if (due.failure === "soft" && (await isOvertaken(due, outbox)))
        return { result: OVERTAKEN, attempt: null, softFailures: 0 };
      sender ??= createSender(endpoint, guard);
      const at = clock.now();
      const body = Buffer.from(due.body);
      const headers = webhookHeaders(
        { ...due, attempt: due.attempts + 1, body },
        { endpoint, signing: signing(endpoint), userAgent, at },
      );
      underWay += 1;
      const exchange = await sender.post(body, headers);
      underWay -= 1;
      closeRetired();
      noticeSkew(exchange, endpoint.id);
      const result = judge(exchange.answer, endpoint.ack, clock.now());
      const isSoft = result.outcome === "failed" && result.failure === "soft";
      return {
        result,
        attempt: logged(due, result, exchange, at),
        softFailures: isSoft ? await softFailuresOf(due) : 0,
      };
    },
    retarget: () => {
      if (sender !== null) retired.push(sender);
      sender = null;
      closeRetired();
    },
    close: () => {
      for (const one of retired) one.close();
      sender?.close();
    },
  };
}

const OVERTAKEN: AttemptResult = {
  outcome: "skipped",
  status: null,
  note: "a later status of the message was delivered",
};

const logged = (due: DueDelivery, result: AttemptResult, { answer, ms }: Exchange, at: Date): Attempt => ({
  n: due.attempts + 1,
  at,
  ms,
  status: result.status,
  error: result.outcome === "failed" ? result.error : result.note,
  responseHead: answer.kind === "answered" ? answer.body.slice(0, RESPONSE_HEAD) : null,
});
