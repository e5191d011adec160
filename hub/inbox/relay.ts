/** Makes accepted messages leave, one after the other per chat, with the id they were accepted under. */
import { nextBackoff } from "../core/backoff.ts";
import type { Clock } from "../core/clock.ts";
import { toSeconds } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { Jid } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { Message } from "../core/message.ts";
import type { InboxStore, SendStore } from "../core/store.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";
import type { Ingest } from "./ingest.ts";
import { inTime, SEND_DEADLINE_MS } from "./in-time.ts";
import { isInterruption, isNotNow, refusalOf, type Refusal } from "./refusal.ts";
import type { Leaving } from "./leaving.ts";
import type { SendGate } from "./send-gate.ts";
import type { SendLanes } from "./send-lane.ts";
import { unrefTimer, type Schedule } from "./send-limits.ts";
import { outgoing, type KeptOrder } from "./send-order.ts";
import { openLink } from "./open-link.ts";
import { createSleepers } from "./sleepers.ts";

/** A message that breaks each connection it leaves by must not break them for ever. */
const MOST_HANDED_OVER = 3;
/** What WhatsApp does not take at the moment is tried again after a little, then after ever longer waits. */
const NOT_NOW_MS = 5_000;

export interface RelayJob {
  sessionId: string;
  chatId: Jid;
  messageId: string;
  order: KeptOrder;
  expiresAt: Date;
  /** It left before, over a connection that broke: WhatsApp may have it. */
  hasLeft?: boolean;
}

export interface Relay {
  /** From before a message is accepted until its `run` is over nobody else sends it. */
  hold(sessionId: string, messageId: string): void;
  release(sessionId: string, messageId: string): void;
  isHeld(sessionId: string, messageId: string): boolean;
  /**
   * Ends when the message left, when its failure is recorded, or when it has to wait for the next connection. Never
   * rejects: whoever cares for the outcome listens to the facts.
   */
  run(job: RelayJob): Promise<void>;
  /** Messages not on their way yet stay where they are. */
  stop(): void;
}

export interface RelayParts {
  sends: Pick<SendStore, "relayed" | "isWaiting">;
  inbox: Pick<InboxStore, "message">;
  media: { pathOf(mediaId: string): string };
  link: (sessionId: string) => WhatsAppLink;
  ingest: Ingest;
  lanes: SendLanes;
  gate: Pick<SendGate, "begins" | "turn" | "expect" | "done">;
  schedule?: Schedule | undefined;
  random?: (() => number) | undefined;
  clock: Clock;
  log: Log;
}

export const laneOf = (sessionId: string, chatId: Jid): string => `${sessionId} ${chatId}`;

export function createRelay(parts: RelayParts): Relay {
  const { sends, inbox, media, link, ingest, lanes, gate, clock, log } = parts;
  const held = new Set<string>();
  const nameOf = (sessionId: string, messageId: string): string => `${sessionId} ${messageId}`;
  let stopped = false;
  const sleepers = createSleepers({ clock, schedule: parts.schedule ?? unrefTimer });

  /** Returns how often that was, to hand in the next time. */
  const wait = async (leaving: Leaving, failures: number): Promise<number> => {
    const { sessionId, messageId } = leaving;
    const next = nextBackoff({ failures, firstMs: NOT_NOW_MS, random: parts.random ?? Math.random });
    const at = Math.min(clock.now().getTime() + next.delayMs, leaving.expiresAt.getTime());
    log.info({ sessionId, messageId, delayMs: next.delayMs }, "message.not_now");
    gate.expect(sessionId, messageId, new Date(at));
    await sleepers.sleep(leaving, at, true);
    return next.failures;
  };

  const fail = async (
    { sessionId, chatId, messageId }: Pick<RelayJob, "sessionId" | "chatId" | "messageId">,
    refusal: Refusal,
  ): Promise<void> => {
    log.warn({ sessionId, messageId, code: refusal.code }, "message.refused");
    await ingest({ sessionId, facts: [failedFact(chatId, messageId, refusal, clock.now())], closes: [] });
  };

  /** Over this connection. A refusal is recorded; what the connection did not take has to be tried again. */
  const handOver = async (
    current: WhatsAppLink,
    { sessionId, chatId, messageId, order }: RelayJob,
    quoted: Message | null,
  ): Promise<"left" | "interrupted" | "not_now" | "failed"> => {
    let sent: Awaited<ReturnType<WhatsAppLink["send"]>>;
    try {
      const content = outgoing(order, (mediaId) => media.pathOf(mediaId));
      const { isForwarded } = order;
      const sending = current.send({ chatId, messageId, content, quoted, isForwarded });
      sent = await inTime(sending, SEND_DEADLINE_MS, notTaken);
    } catch (error) {
      if (isInterruption(error)) return "interrupted";
      if (isNotNow(error)) return "not_now";
      if (!(error instanceof HubError)) log.error({ sessionId, messageId, err: error }, "send.failed");
      await fail({ sessionId, chatId, messageId }, refusalOf(error));
      return "failed";
    }
    await sends.relayed(sessionId, messageId, sent, clock.now());
    log.info({ sessionId, messageId, kind: order.content.kind }, "message.relayed");
    return "left";
  };

  /** Its receipt from the last time it left may have come meanwhile. */
  const isConfirmed = async ({ sessionId, messageId, hasLeft = false }: RelayJob): Promise<boolean> =>
    hasLeft && !(await sends.isWaiting(sessionId, messageId));

  const attempt = async (job: RelayJob, leaving: Leaving): Promise<void> => {
    const { sessionId, chatId, order } = job;
    const quoted =
      order.quotedMessageId === null ? null : await inbox.message(sessionId, order.quotedMessageId, chatId);
    let tried: WhatsAppLink | null = null;
    let hasTurn = false;
    let failures = 0;
    let handedOver = 0;
    while (!stopped) {
      if (leaving.expiresAt <= clock.now()) return fail(job, givenUp(job, handedOver));
      const current = openLink(link, sessionId);
      // A connection that broke under the send may have a successor already; only that one is worth another try.
      if (current === null || current === tried) return;
      if (!hasTurn) {
        hasTurn = await gate.turn(leaving);
        continue; // waiting takes time, in which anything can have changed
      }
      if (handedOver === 0 && (await isConfirmed(job))) return;
      tried = current;
      const outcome = await handOver(current, job, quoted);
      if (outcome === "failed") return;
      if (outcome === "not_now") {
        failures = await wait(leaving, failures);
        tried = null; // the same connection may do
      }
      if (outcome === "left") {
        handedOver += 1;
        // Gone while it left: the next connection may have listed what it begins with before this could be among it.
        if (openLink(link, sessionId) === current || handedOver === MOST_HANDED_OVER) return;
      }
    }
  };

  return {
    hold: (sessionId, messageId) => held.add(nameOf(sessionId, messageId)),
    release: (sessionId, messageId) => held.delete(nameOf(sessionId, messageId)),
    isHeld: (sessionId, messageId) => held.has(nameOf(sessionId, messageId)),
    run: async (job) => {
      const { sessionId, chatId, messageId, expiresAt } = job;
      const leaving = { sessionId, chatId, messageId, expiresAt, isTimed: job.order.isTimed === true };
      held.add(nameOf(sessionId, messageId));
      gate.begins(leaving);
      try {
        await lanes.run(laneOf(sessionId, chatId), () => attempt(job, leaving));
      } catch (error) {
        // Our store failed: the row says "waiting" still, so the next connection sends it (again) under the same id.
        log.error({ sessionId, messageId, err: error }, "send.not_recorded");
      } finally {
        held.delete(nameOf(sessionId, messageId));
        gate.done(leaving);
      }
    },
    stop: () => {
      stopped = true;
      sleepers.stop();
    },
  };
}

const notTaken = (): HubError =>
  new HubError("SESSION_NOT_CONNECTED", "The connection did not take the message in time.");

/** Of what is out of time. */
export const givenUp = ({ hasLeft = false }: { hasLeft?: boolean }, handedOver = 0): Refusal =>
  hasLeft || handedOver > 0 ? UNCONFIRMED : EXPIRED;

const EXPIRED: Refusal = { code: "expired", error: "Not sent within its time to live." };
export const UNCONFIRMED: Refusal = { code: "unconfirmed", error: "WhatsApp never confirmed it." };

export const failedFact = (chatId: Jid, messageId: string, { code, error }: Refusal, now: Date) => ({
  kind: "status" as const,
  chatId,
  ids: [messageId],
  status: "failed" as const,
  at: toSeconds(now),
  participant: null,
  code,
  error,
});
