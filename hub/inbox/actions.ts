/** What is done to messages that exist: reacting, editing, deleting, reading. A fact of ours once WhatsApp took it. */
import type { Clock } from "../core/clock.ts";
import { toSeconds } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { Fact, MessageRef } from "../core/facts.ts";
import { isGroupJid, phoneJid, type Jid } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { Message } from "../core/message.ts";
import type { InboxStore, SessionStore } from "../core/store.ts";
import type { OutgoingContent, WhatsAppKey, WhatsAppLink } from "../core/whatsapp.ts";
import type { AckWaiters } from "./ack-waiters.ts";
import type { AnswerWait } from "./answer-wait.ts";
import { findMessage } from "./find-message.ts";
import { inTime, noAnswer, ORDER_MS, SEND_DEADLINE_MS } from "./in-time.ts";
import type { Ingest } from "./ingest.ts";
import { resolveRecipient } from "./recipient.ts";
import { refusalError, refusalOf } from "./refusal.ts";
import { laneOf } from "./relay.ts";
import type { SendGate } from "./send-gate.ts";
import type { SendLanes } from "./send-lane.ts";
import type { MessageTarget, Numbering, SendOrigin } from "./send-request.ts";

/** WhatsApp ignores later edits without a word. */
const EDITABLE_SECONDS = 15 * 60;
/** Enough for any chat a person reads at once; the rest is read by the next call. */
const READ_AT_ONCE = 1_000;
/** After this nobody expects WhatsApp's word any more. */
const LATE_WORD_MS = 10 * 60 * 1000;
/** Beside what the connection may take, for WhatsApp's word. */
const WORD_MS = 1_000;

/** The action's own WhatsApp id, and whether WhatsApp took it in time. */
export interface Acted {
  actionId: string;
  status: "sent" | "pending";
  message: Message;
}

export interface Actions {
  /** An empty emoji takes the reaction back. */
  react(order: SendOrigin & MessageTarget & { emoji: string }): Promise<Acted>;
  /** @throws HubError STATE_CONFLICT unless it is a text of ours, young enough. */
  edit(order: SendOrigin & MessageTarget & { text: string }): Promise<Acted>;
  /** `forEveryone: false` hides it here alone and tells WhatsApp nothing. */
  remove(order: SendOrigin & MessageTarget & { forEveryone: boolean }): Promise<void>;
  /** Reads a chat, or only the messages named; also fine when nothing was unread. */
  markRead(order: {
    sessionId: string;
    chatId: string;
    messageIds: string[] | null;
    numbering: Numbering;
  }): Promise<{ chatId: Jid; marked: number }>;
}

export interface ActionsParts {
  inbox: InboxStore;
  sessions: Pick<SessionStore, "get">;
  link: (sessionId: string) => WhatsAppLink;
  ingest: Ingest;
  acks: AckWaiters;
  lanes: SendLanes;
  wait: AnswerWait;
  gate: Pick<SendGate, "refuseOff">;
  clock: Clock;
  log: Log;
  /** How long the connection may take over one. */
  orderMs?: number;
}

export function createActions(parts: ActionsParts): Actions {
  const { inbox, sessions, link, ingest, clock, log, orderMs = ORDER_MS } = parts;

  const ownJid = async (sessionId: string): Promise<Jid> => {
    const session = await sessions.get(sessionId);
    if (session === null) throw new HubError("SESSION_NOT_FOUND", "There is no such session.");
    return session.phoneNumber === null ? (session.lid ?? "") : phoneJid(session.phoneNumber);
  };

  /** Sends in the chat's lane; `facts` become true when WhatsApp took it, be it after the answer. */
  const act = async (
    origin: SendOrigin,
    message: Message,
    content: OutgoingContent,
    facts: () => Fact[],
  ): Promise<Acted> => {
    const startedAt = performance.now();
    const { sessionId } = origin;
    await parts.gate.refuseOff(sessionId);
    const current = link(sessionId);
    const actionId = origin.reservedId ?? current.newMessageId();
    const record = async (): Promise<void> => {
      await ingest({ sessionId, facts: facts(), closes: [] });
    };
    const waiter = parts.acks.wait(sessionId, actionId);
    const recordLate = (): void => {
      setTimeout(() => waiter.cancel(), LATE_WORD_MS).unref();
      void waiter.outcome
        .then((late) => (late.taken ? record() : undefined))
        .catch((error: unknown) => log.error({ sessionId, actionId, err: error }, "action.not_recorded"));
    };
    const { chatId } = message;
    const state = { isLeaving: false, isGivenUp: false };
    const leave = async (): Promise<void> => {
      if (state.isGivenUp) throw noAnswer(); // its caller heard that it failed: it must not happen later on
      state.isLeaving = true;
      const sending = current.send({ chatId, messageId: actionId, content, quoted: null });
      await inTime(sending, SEND_DEADLINE_MS).finally(() => (state.isLeaving = false));
    };
    try {
      await inTime(parts.lanes.run(laneOf(sessionId, chatId), leave), orderMs);
    } catch (error) {
      state.isGivenUp = true;
      // What is on its way may arrive yet.
      if (state.isLeaving) recordLate();
      else waiter.cancel();
      throw error instanceof HubError && error.code !== "INTERNAL_ERROR"
        ? error
        : refusalError(refusalOf(error), actionId);
    }
    const outcome = await parts.wait.of(waiter, startedAt, orderMs + WORD_MS);
    if (outcome === null) {
      recordLate();
      return { actionId, status: "pending", message };
    }
    if (!outcome.taken) throw refusalError(outcome, actionId);
    await record();
    return {
      actionId,
      status: "sent",
      message: (await inbox.message(sessionId, message.id, chatId)) ?? message,
    };
  };

  return {
    react: async (order) => {
      const message = await findMessage(order, inbox);
      refuseDeleted(message);
      const { emoji } = order;
      const from = await ownJid(order.sessionId);
      return act(order, message, { kind: "reaction", target: keyOf(message), emoji }, () => [
        {
          kind: "reaction",
          target: refOf(message),
          from,
          fromMe: true,
          emoji,
          atMs: clock.now().getTime(),
          live: true,
        },
      ]);
    },
    edit: async (order) => {
      const message = await findMessage(order, inbox);
      refuseEdit(message, clock.now());
      const { text } = order;
      return act(order, message, { kind: "edit", target: keyOf(message), text }, () => [
        { kind: "edit", target: refOf(message), content: text, at: toSeconds(clock.now()), raw: null },
      ]);
    },
    remove: async (order) => {
      const { sessionId, forEveryone } = order;
      const message = await findMessage(order, inbox);
      if (message.deletedAt !== null) return;
      const by = await ownJid(sessionId);
      const facts = (): Fact[] => [
        { kind: "revoke", target: refOf(message), by, at: toSeconds(clock.now()), forEveryone },
      ];
      if (!forEveryone) {
        await ingest({ sessionId, facts: facts(), closes: [] });
        return;
      }
      if (!message.fromMe && !isGroupJid(message.chatId))
        throw conflict("Only own messages can be deleted for everyone.", message);
      await act(order, message, { kind: "delete", target: keyOf(message) }, facts);
    },
    markRead: async ({ sessionId, chatId: written, messageIds, numbering }) => {
      const chatId = await resolveRecipient({ sessionId, written, numbering, inbox, field: "chatId" });
      const unread =
        messageIds === null
          ? await inbox.unreadOf(sessionId, chatId, READ_AT_ONCE)
          : await incoming(messageIds, (id) => inbox.message(sessionId, id, chatId));
      if (unread.length > 0) await inTime(link(sessionId).markRead(unread.map(incomingKey)), orderMs);
      const chat = await inbox.chat(sessionId, chatId);
      if (unread.length > 0 || (chat?.unreadCount ?? 0) > 0)
        await ingest({ sessionId, facts: [{ kind: "chat-read", jid: chatId }], closes: [] });
      return { chatId, marked: unread.length };
    },
  };
}

const conflict = (text: string, { id, status }: Message): HubError =>
  new HubError("STATE_CONFLICT", text, { details: { messageId: id, status } });

function refuseDeleted(message: Message): void {
  if (message.deletedAt !== null) throw conflict("This message was deleted.", message);
}

function refuseEdit(message: Message, now: Date): void {
  refuseDeleted(message);
  if (!message.fromMe || message.type !== "text") throw conflict("Only own texts can be edited.", message);
  if (message.status === "failed" || message.status === "pending")
    throw conflict("Only a message that WhatsApp has can be edited.", message);
  if (toSeconds(now) - message.timestamp > EDITABLE_SECONDS)
    throw conflict("WhatsApp takes edits for 15 minutes only.", message);
}

async function incoming(ids: string[], find: (id: string) => Promise<Message | null>): Promise<MessageRef[]> {
  const found: MessageRef[] = [];
  for (const id of new Set(ids)) {
    const message = await find(id);
    if (message !== null && !message.fromMe) found.push(refOf(message));
  }
  return found;
}

const refOf = ({ chatId, id, fromMe, participant }: Message): MessageRef => ({
  chatId,
  id,
  fromMe,
  participant,
});
const keyOf = ({ chatId, id, fromMe, participant }: Message): WhatsAppKey => ({
  chatId,
  id,
  fromMe,
  participant,
});
const incomingKey = ({ chatId, id, participant = null }: MessageRef): WhatsAppKey => ({
  chatId,
  id,
  fromMe: false,
  participant,
});
