/** The moment a send becomes a promise: on disk with its id first, then into its chat's lane, then WhatsApp's word. */
import { toSeconds, type Clock } from "../core/clock.ts";
import type { Jid } from "../core/jid.ts";
import type { MessageStatus } from "../contract/message-status.ts";
import type { Message } from "../core/message.ts";
import type { Nudge } from "../core/nudge.ts";
import type { InboxStore, SendStore } from "../core/store.ts";
import type { WhatsAppLink } from "../core/whatsapp.ts";
import type { AckWaiters } from "./ack-waiters.ts";
import type { AnswerWait } from "./answer-wait.ts";
import type { Composed } from "./compose.ts";
import type { Media } from "./media.ts";
import { outgoingMessage } from "./outgoing-message.ts";
import { refusalError } from "./refusal.ts";
import type { Relay, RelayJob } from "./relay.ts";
import { expectLink, openLink } from "./open-link.ts";
import type { Resume } from "./resume.ts";
import type { SendGate } from "./send-gate.ts";
import type { SendQueue } from "./send-queue.ts";
import { writeOrder, type KeptOrder } from "./send-order.ts";

const DEFAULT_TTL_SECONDS = 3_600;
const MAX_TTL_SECONDS = 86_400;
/** Longer than this nobody waits for the turn of a message. */
const PATIENCE_MS = 10_000;

const SETTLED: MessageStatus[] = ["sent", "delivered", "read", "deleted"];

/** A message about to be accepted. */
export interface Draft {
  sessionId: string;
  chatId: Jid;
  id: string;
  client: string | null;
  composed: Composed;
  quotedMessageId: string | null;
  mentions: Jid[];
  isForwarded: boolean;
  queue: boolean;
  ttlSeconds: number | null;
  /** Of the call, by `performance.now()`. */
  startedAt: number;
}

export interface Acceptance {
  /**
   * @throws HubError before it is accepted, with nothing kept; a 422 when WhatsApp refused it; STORE_UNAVAILABLE also after
   * it was accepted: a repeat under the same id gets its answer.
   */
  accept(draft: Draft): Promise<Message>;
  /** Lets a message leave (again) and waits. */
  deliver(message: Message, job: RelayJob, startedAt: number): Promise<Message>;
  /** Waits for WhatsApp's word on a message that is on its way already. */
  settle(message: Message, startedAt: number, letGo?: () => void): Promise<Message>;
}

export interface AcceptanceParts {
  sends: Pick<SendStore, "accept">;
  inbox: Pick<InboxStore, "message">;
  media: Pick<Media, "remove">;
  link: (sessionId: string) => WhatsAppLink;
  relay: Relay;
  resume: Pick<Resume, "listed">;
  acks: AckWaiters;
  wait: AnswerWait;
  gate: Pick<SendGate, "outlook" | "refuseHeld" | "expect">;
  queue: Pick<SendQueue, "enter">;
  /** Until when WhatsApp forbids the account to open chats, as far as it said. */
  restrictedUntil: (sessionId: string) => Date | null;
  clock: Clock;
  nudge: Nudge;
}

/**
 * A fast receipt may have come already. The answer says "sent" still: the event of that word follows it, and whoever
 * applies what arrives last would otherwise go back.
 */
export const asAnswered = (message: Message): Message =>
  message.status === "delivered" || message.status === "read" ? { ...message, status: "sent" } : message;

export function createAcceptance(parts: AcceptanceParts): Acceptance {
  const { sends, inbox, media, link, relay, resume, acks, wait, gate, queue, clock, nudge } = parts;

  const settle: Acceptance["settle"] = async (message, startedAt, letGo = () => undefined) => {
    const { sessionId, id, chatId } = message;
    const waiter = acks.wait(sessionId, id);
    letGo();
    // Its word may have come before anybody listened: a repeated call waits for a message that left long ago.
    const isTaken = SETTLED.includes((await inbox.message(sessionId, id, chatId))?.status ?? "pending");
    const outcome = isTaken ? null : await wait.of(waiter, startedAt);
    waiter.cancel();
    if (outcome?.taken === false) throw refusalError(outcome, id, parts.restrictedUntil(sessionId));
    return asAnswered((await inbox.message(sessionId, id, chatId)) ?? message);
  };

  const deliver: Acceptance["deliver"] = (message, job, startedAt) =>
    settle(message, startedAt, () => void relay.run(job));

  /** Writes it down; the file of a message that could not be accepted belongs to nothing. */
  const write = async (draft: Draft): Promise<{ message: Message; job: RelayJob }> => {
    const { sessionId, id, chatId, composed, quotedMessageId, mentions, isForwarded } = draft;
    try {
      // Fetching a file takes time, in which the connection can go.
      if (!draft.queue) {
        expectLink(link, sessionId);
        await gate.refuseHeld(sessionId, chatId);
      }
      const now = clock.now();
      const ttlSeconds = Math.min(draft.ttlSeconds ?? DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS);
      const expiresAt = new Date(now.getTime() + ttlSeconds * 1000);
      const order: KeptOrder = {
        ...{ content: composed.content, quotedMessageId, mentions, isForwarded },
        ...(draft.ttlSeconds === null ? {} : { isTimed: true }),
      };
      const message = outgoingMessage({ ...draft, ...composed, timestamp: toSeconds(now) });
      await queue.enter(sessionId, chatId, () =>
        sends.accept({ message, order: writeOrder(order), expiresAt, now }),
      );
      return { message, job: { sessionId, chatId, messageId: id, order, expiresAt } };
    } catch (error) {
      if (composed.file !== null) await media.remove(composed.file.mediaId);
      throw error;
    }
  };

  /** Whether its caller may wait for it; else it is known when it leaves, as far as that can be. */
  const comesSoon = async ({ sessionId, chatId, id }: Message): Promise<boolean> => {
    const { held, at } = await gate.outlook(sessionId, chatId);
    if (held === null && (at === null || at.getTime() - clock.now().getTime() <= PATIENCE_MS)) return true;
    if (at !== null) gate.expect(sessionId, id, at);
    return false;
  };

  return {
    accept: async (draft) => {
      const { sessionId, id } = draft;
      relay.hold(sessionId, id);
      let isHandedOver = false;
      try {
        const { message, job } = await write(draft);
        nudge.ring();
        if (openLink(link, sessionId) === null) {
          relay.release(sessionId, id); // the next connection takes it from the store
          return draft.queue ? message : await settle(message, draft.startedAt);
        }
        await resume.listed(sessionId); // what waited for this connection goes first
        isHandedOver = true; // the lane lets go of it, be it long after the answer
        const isSoon = await comesSoon(message).catch((error: unknown) => {
          void relay.run(job); // it was accepted: it leaves, although its caller cannot be told when
          throw error;
        });
        if (isSoon) return await deliver(message, job, draft.startedAt);
        void relay.run(job);
        return message;
      } finally {
        if (!isHandedOver) relay.release(sessionId, id);
      }
    },
    deliver,
    settle,
  };
}
