/** The rules about what may leave and when, as one part of sending: the switch, the pace, the strangers, the queue. */
import { RESTRICTED } from "../core/advice-on-refusals.ts";
import type { Clock } from "../core/clock.ts";
import type { Fact } from "../core/facts.ts";
import type { Jid } from "../core/jid.ts";
import type { Log } from "../core/log.ts";
import type { Nudge } from "../core/nudge.ts";
import type { EventStore, MarkStore, Recorded, SendStore, SessionStore } from "../core/store.ts";
import type { Session } from "../core/session.ts";
import type { AccountNews, WhatsAppLink } from "../core/whatsapp.ts";
import { createColdSends, type ColdStanding } from "./cold-sends.ts";
import { createRestrictions, type Restriction } from "./restriction.ts";
import { createSendGate, type SendGate } from "./send-gate.ts";
import { NO_LIMITS, unrefTimer, type Schedule, type SendLimits } from "./send-limits.ts";
import { createSendQueue, type SendQueue } from "./send-queue.ts";

export interface SendingStanding extends ColdStanding {
  enabled: boolean;
  /** Accepted, and not out yet. */
  waiting: number;
  /** When the next message may leave; null for now. */
  nextAt: Date | null;
}

export interface SendRules {
  gate: SendGate;
  queue: SendQueue;
  /** Until when WhatsApp forbids the account to open chats, as far as this process heard. */
  restrictedUntil(sessionId: string): Date | null;
  /** What was just recorded: a refusal that means more than its message, or a stranger who wrote. */
  recorded(sessionId: string, facts: Fact[], recorded: Recorded): void;
  heard(sessionId: string, news: AccountNews): void;
  /** Asks WhatsApp how the account stands, without waiting for it. */
  ask(sessionId: string): void;
  restrictionOf(sessionId: string): Promise<Restriction | null>;
  standing(sessionId: string): Promise<SendingStanding>;
  /** A session was deleted, or linked: nothing that is known of one account is true of another. */
  moved(previous: Session, next: Session): void;
  stop(): Promise<void>;
}

export interface SendRulesParts {
  sends: SendStore;
  sessions: Pick<SessionStore, "get">;
  events: Pick<EventStore, "append">;
  marks: Pick<MarkStore, "get" | "set" | "named">;
  link: (sessionId: string) => WhatsAppLink;
  /** Left out: as many and as fast as they come. */
  limits?: SendLimits;
  schedule?: Schedule;
  random?: () => number;
  clock: Clock;
  nudge: Nudge;
  log: Log;
}

export function createSendRules(parts: SendRulesParts): SendRules {
  const { sends, sessions, clock, log } = parts;
  const { limits = NO_LIMITS, schedule = unrefTimer, random = Math.random } = parts;
  const onChange = (sessionId: string): void => gate.wake(sessionId);
  const restrictions = createRestrictions({ ...parts, schedule, onChange });
  const cold = createColdSends({ ...parts, restrictions, perDay: limits.newChatsPerDay, onChange });
  const isOn = async (sessionId: string): Promise<boolean> =>
    (await sessions.get(sessionId))?.settings.sendingEnabled ?? true;
  const gate = createSendGate({ sends, cold, limits, isOn, clock, schedule, random });

  /** Linked last, also while nobody is. */
  const numbers = new Map<string, string>();

  const ask = (sessionId: string): void => {
    cold.ask(sessionId).catch((err: unknown) => log.error({ sessionId, err }, "account.not_asked"));
  };

  return {
    gate,
    queue: createSendQueue({ sends, cold, limits }),
    restrictedUntil: (sessionId) => restrictions.known(sessionId)?.until ?? null,
    recorded: (sessionId, facts, { messages }) => {
      if (facts.some(isRestriction)) {
        // Not tried again: each try is another stranger written to. WhatsApp says how long it lasts.
        restrictions.refused(sessionId);
        ask(sessionId);
      }
      gate.wakeSoon(sessionId, [
        ...facts.flatMap(becameKnown),
        // Under the address the store keeps them.
        ...messages.filter(({ fromMe }) => !fromMe).map(({ chatId }) => chatId),
      ]);
    },
    heard: (sessionId, news) => cold.heard(sessionId, news),
    ask,
    restrictionOf: (sessionId) => restrictions.of(sessionId),
    standing: async (sessionId) => {
      const nextAt = await gate.nextAt(sessionId);
      return {
        ...(await cold.standing(sessionId)),
        enabled: limits.enabled && (await isOn(sessionId)),
        waiting: await sends.countWaiting(sessionId),
        nextAt: nextAt > clock.now() ? nextAt : null,
      };
    },
    moved: (previous, next) => {
      const { sessionId, phoneNumber } = next;
      const former = previous.phoneNumber ?? numbers.get(sessionId) ?? null;
      if (former !== null) numbers.set(sessionId, former);
      const isGone = next.deletedAt !== null && previous.deletedAt === null;
      // Who was linked before the process began may be unknown: WhatsApp tells at the open how the account stands.
      const isAnother = phoneNumber !== null && phoneNumber !== former;
      if (!isGone && !isAnother) return;
      if (isGone || phoneNumber === null) numbers.delete(sessionId);
      else numbers.set(sessionId, phoneNumber);
      cold.forget(sessionId);
      gate.forget(sessionId);
    },
    stop: async () => {
      gate.stop();
      cold.stop();
      await restrictions.stop();
    },
  };
}

/** Whoever wrote is a stranger no more, under neither address. */
function becameKnown(fact: Fact): Jid[] {
  if (fact.kind === "lid") return [fact.lid, fact.phone];
  return fact.kind === "message" && !fact.message.fromMe ? [fact.message.chatId] : [];
}

const isRestriction = (fact: Fact): boolean =>
  fact.kind === "status" && fact.status === "failed" && fact.code === RESTRICTED;
