/** Says things on WhatsApp: every message is on disk, with its id, before it leaves; the answer waits for WhatsApp's word. */
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { Jid } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { Message } from "../core/message.ts";
import type { Nudge } from "../core/nudge.ts";
import type { Session } from "../core/session.ts";
import type { EventStore, InboxStore, MarkStore, SendStore, SessionStore } from "../core/store.ts";
import type { AccountNews, WhatsAppLink } from "../core/whatsapp.ts";
import { asAnswered, createAcceptance } from "./acceptance.ts";
import { createAckWaiters } from "./ack-waiters.ts";
import { createActions, type Actions } from "./actions.ts";
import { createAnswerWait } from "./answer-wait.ts";
import { compose, composeCopy, resolveMentions } from "./compose.ts";
import type { Contacts } from "./contacts.ts";
import { findMessage } from "./find-message.ts";
import { reachable } from "./first-contact.ts";
import type { Ingest } from "./ingest.ts";
import { keptContent } from "./kept-content.ts";
import type { Media } from "./media.ts";
import { offlineMessageId } from "./message-id.ts";
import { watchOverdue } from "./overdue.ts";
import { reactionAnswer } from "./reaction-answer.ts";
import { resolveRecipient } from "./recipient.ts";
import { refusalError } from "./refusal.ts";
import { createRelay } from "./relay.ts";
import { expectLink, openLink } from "./open-link.ts";
import { createResume } from "./resume.ts";
import type { Restriction } from "./restriction.ts";
import { createSendLanes } from "./send-lane.ts";
import type { Schedule, SendLimits } from "./send-limits.ts";
import type { MessageTarget, SendOrigin, SendRequest } from "./send-request.ts";
import { createSendRules, type SendingStanding } from "./send-rules.ts";

const RETRY_TTL_MS = 60 * 60 * 1000;
const STOP_PATIENCE_MS = 3_000;

export interface Sending extends Actions {
  /**
   * Answers with the message as WhatsApp took it (`sent`), or `pending` when its word did not come in time.
   * @throws HubError VALIDATION_ERROR, SESSION_NOT_CONNECTED, MEDIA_ERROR … before anything left;
   * RECIPIENT_RESTRICTED, WHATSAPP_ERROR when WhatsApp refused it.
   */
  send(request: SendRequest): Promise<Message>;
  /** A WhatsApp id to claim an idempotency key with; passed back as `messageId`. */
  reserveId(sessionId: string): string;
  /** The same message to somebody else. */
  forward(order: SendOrigin & MessageTarget & { to: string }): Promise<Message>;
  /** Sends a failed message again under its own id. @throws HubError STATE_CONFLICT unless it failed. */
  retry(order: SendOrigin & MessageTarget): Promise<Message>;
  /** Sends what was accepted and did not leave, before a crash or while disconnected; to be called at every open. */
  resume(sessionId: string): Promise<void>;
  /** What WhatsApp says of the account itself. */
  heard(sessionId: string, news: AccountNews): void;
  /** A session changed: what is known of its account may be of another one. */
  moved(previous: Session, next: Session): void;
  /** What the account may send, and what waits. */
  standing(sessionId: string): Promise<SendingStanding>;
  /** Until when WhatsApp forbids the account to open chats; null while it does not. */
  restrictionOf(sessionId: string): Promise<Restriction | null>;
  /** When a message that waits for its turn is to leave, as far as that is known. */
  etaOf(sessionId: string, messageId: string): Date | null;
  /** Gives up what waited too long; happens by itself every few seconds. */
  giveUpOverdue(): Promise<void>;
  stop(): Promise<void>;
  idle(): Promise<void>;
}

export interface SendingParts {
  sends: SendStore;
  inbox: InboxStore;
  sessions: Pick<SessionStore, "get" | "list">;
  events: Pick<EventStore, "append">;
  marks: Pick<MarkStore, "get" | "set" | "named">;
  media: Pick<Media, "fromSource" | "pathOf" | "remove" | "open">;
  contacts: Pick<Contacts, "lookUp">;
  link: (sessionId: string) => WhatsAppLink;
  ingest: Ingest;
  clock: Clock;
  nudge: Nudge;
  log: Log;
  /** Throws OVERLOADED while the hub has no room for more. */
  refuseWhenFull?: () => Promise<void>;
  ackWaitMs?: number;
  /** How long the connection may take over what is no message. */
  orderMs?: number;
  /** Left out: as many and as fast as they come. */
  limits?: SendLimits;
  schedule?: Schedule;
  random?: () => number;
}

export function createSending(parts: SendingParts): Sending {
  const { sends, inbox, media, link, ingest, clock, log } = parts;
  const acks = createAckWaiters();
  const rules = createSendRules(parts);
  const { gate, queue, restrictedUntil } = rules;
  const forget = ingest.onRecorded((sessionId, facts, recorded) => {
    // First what a refusal means, so that its caller can be told until when.
    rules.recorded(sessionId, facts, recorded);
    acks.tell(sessionId, facts);
  });
  const lanes = createSendLanes();
  const wait = createAnswerWait(parts.ackWaitMs === undefined ? {} : { ackWaitMs: parts.ackWaitMs });
  const relay = createRelay({ ...parts, lanes, gate });
  const resuming = createResume({ sends, relay, clock, log });
  const overdue = watchOverdue({ sends, sessions: parts.sessions, relay, gate, ingest, clock, log });
  const actions = createActions({ ...parts, acks, lanes, wait, gate });
  const acceptance = createAcceptance({
    ...parts,
    ...{ relay, resume: resuming, acks, wait, gate, queue, restrictedUntil },
  });
  let isStopped = false;

  const begin = async (): Promise<number> => {
    if (isStopped) throw new HubError("SHUTTING_DOWN", "The hub is stopping.");
    await parts.refuseWhenFull?.();
    return performance.now();
  };

  const reserveId = (sessionId: string): string =>
    openLink(link, sessionId)?.newMessageId() ?? offlineMessageId();

  /** A call repeated after a crash finds what its first run accepted. */
  const acceptedBefore = async ({ sessionId, reservedId }: SendOrigin): Promise<Message | null> =>
    reservedId === undefined ? null : inbox.message(sessionId, reservedId);

  const finish = async (message: Message, startedAt: number): Promise<Message> => {
    if (message.status === "failed")
      throw refusalError({ code: "WHATSAPP_ERROR", error: "it was refused or expired." }, message.id);
    if (message.status !== "pending" || openLink(link, message.sessionId) === null)
      return asAnswered(message);
    return acceptance.settle(message, startedAt, () => void resumeLogged(message.sessionId));
  };

  const resumeLogged = (sessionId: string): Promise<void> =>
    resuming
      .resume(sessionId)
      .catch((error: unknown) => log.error({ sessionId, err: error }, "sends.not_resumed"));

  /** Where a message goes; refuses before anything is fetched or kept. */
  const destination = async (
    { sessionId, numbering }: SendOrigin,
    written: string,
    queued: boolean,
  ): Promise<Jid> => {
    const jid = await resolveRecipient({ sessionId, written, numbering, inbox });
    await queue.refuseWhenFull(sessionId, jid);
    const current = queued ? openLink(link, sessionId) : expectLink(link, sessionId);
    // Before WhatsApp is asked about the number: that is written to strangers as well.
    if (!queued) await gate.refuseHeld(sessionId, jid);
    return current === null ? jid : reachable(sessionId, jid, parts);
  };

  const quotedIn = async (sessionId: string, chatId: Jid, quotedMessageId: string | null): Promise<void> => {
    if (quotedMessageId === null || (await inbox.message(sessionId, quotedMessageId, chatId)) !== null)
      return;
    throw new HubError("VALIDATION_ERROR", "The quoted message is not known in this chat.", {
      details: { fields: [{ path: "quotedMessageId", problem: "is not known in this chat" }] },
    });
  };

  return {
    ...actions,
    reserveId,
    send: async (request) => {
      const startedAt = await begin();
      const { sessionId, content, ttlSeconds, client, quotedMessageId } = request;
      if (content.kind === "reaction") {
        const { messageId, emoji } = content;
        const acted = await actions.react({ ...request, chatId: request.to, messageId, emoji });
        return reactionAnswer(acted, emoji, clock.now());
      }
      const earlier = await acceptedBefore(request);
      if (earlier !== null) return finish(earlier, startedAt);
      const chatId = await destination(request, request.to, request.queue);
      await quotedIn(sessionId, chatId, quotedMessageId);
      const mentions = await resolveMentions(request, inbox);
      const composed = await compose(content, sessionId, media);
      return acceptance.accept({
        sessionId,
        chatId,
        id: request.reservedId ?? reserveId(sessionId),
        client,
        composed,
        quotedMessageId,
        mentions,
        isForwarded: false,
        queue: request.queue,
        ttlSeconds,
        startedAt,
      });
    },
    forward: async (order) => {
      const startedAt = await begin();
      const { sessionId, client } = order;
      const earlier = await acceptedBefore(order);
      if (earlier !== null) return finish(earlier, startedAt);
      const content = keptContent(await findMessage(order, inbox));
      const chatId = await destination(order, order.to, false);
      return acceptance.accept({
        sessionId,
        chatId,
        id: order.reservedId ?? reserveId(sessionId),
        client,
        composed: await composeCopy(content, sessionId, media),
        quotedMessageId: null,
        mentions: [],
        isForwarded: true,
        queue: false,
        ttlSeconds: null,
        startedAt,
      });
    },
    retry: async (order) => {
      const startedAt = await begin();
      const message = await findMessage(order, inbox);
      const { sessionId, chatId, id: messageId, quotedMessageId, mentions, isForwarded } = message;
      if (!message.fromMe || message.status !== "failed")
        throw new HubError("STATE_CONFLICT", "Only a message that failed can be sent again.", {
          details: { messageId, status: message.status },
        });
      if (relay.isHeld(sessionId, messageId)) return acceptance.settle(message, startedAt);
      await queue.refuseWhenFull(sessionId, chatId);
      const kept = { content: keptContent(message), quotedMessageId, mentions, isForwarded };
      link(sessionId);
      await gate.refuseHeld(sessionId, chatId);
      if (message.media !== null) await media.open(message.media.mediaId);
      const expiresAt = new Date(clock.now().getTime() + RETRY_TTL_MS);
      return acceptance.deliver(message, { sessionId, chatId, messageId, order: kept, expiresAt }, startedAt);
    },
    resume: (sessionId) => {
      rules.ask(sessionId);
      return resuming.resumeAnew(sessionId);
    },
    heard: (sessionId, news) => rules.heard(sessionId, news),
    moved: (previous, next) => rules.moved(previous, next),
    standing: (sessionId) => rules.standing(sessionId),
    restrictionOf: (sessionId) => rules.restrictionOf(sessionId),
    etaOf: (sessionId, messageId) => gate.etaOf(sessionId, messageId),
    giveUpOverdue: () => overdue.look(),
    stop: async () => {
      isStopped = true;
      relay.stop();
      wait.stop();
      await rules.stop();
      await Promise.race([Promise.all([lanes.idle(), overdue.stop()]), patience(STOP_PATIENCE_MS)]);
      forget();
    },
    idle: () => lanes.idle(),
  };
}

/** Resolves after a while; keeps no process alive. */
const patience = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
