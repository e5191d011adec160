/**
 * The last gate before a message leaves: is sending switched on, may this person be written to, and is it the account's turn.
 * What has to wait waits in its chat's lane, and its row in the store: a kill loses nothing but the time already waited.
 */
import { adviceOnRefusal, RESTRICTED } from "../core/advice-on-refusals.ts";
import { inSpanish } from "../core/advice.ts";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { Jid } from "../core/jid.ts";
import type { SendStore } from "../core/store.ts";
import type { ColdSends, Hold } from "./cold-sends.ts";
import type { Leaving } from "./leaving.ts";
import { createMoreTime } from "./more-time.ts";
import { createPace, type Pace } from "./pace.ts";
import type { Schedule, SendLimits } from "./send-limits.ts";
import { createSleepers } from "./sleepers.ts";

/** The switch of a session is looked at so often. */
const OFF_LOOK_MS = 5_000;
const PACE_KNOWS_MS = 60_000;

export interface Outlook {
  held: Hold | { cause: "off"; until: null } | null;
  /** When it could leave, as far as that is known. */
  at: Date | null;
}

export interface SendGate {
  /** True when the message may leave now; false when something may have changed: its caller looks at everything again. */
  turn(leaving: Leaving): Promise<boolean>;
  outlook(sessionId: string, chatId: Jid): Promise<Outlook>;
  /** @throws HubError RECIPIENT_RESTRICTED, STATE_CONFLICT when a message that cannot wait would have to. */
  refuseHeld(sessionId: string, chatId: Jid): Promise<void>;
  /** @throws HubError STATE_CONFLICT while sending is switched off. */
  refuseOff(sessionId: string): Promise<void>;
  isOff(sessionId: string): Promise<boolean>;
  /** When it is the turn of the session's next message. */
  nextAt(sessionId: string): Promise<Date>;
  /** A message that has yet to come to this gate is to leave then. */
  expect(sessionId: string, messageId: string, at: Date): void;
  /** It is in its lane; those before it have their turn first. */
  begins(leaving: Leaving): void;
  /** It left, failed, or waits for another connection. */
  done(leaving: Leaving): void;
  /** When a message that waits is to leave; null when it does not wait, or nobody knows. */
  etaOf(sessionId: string, messageId: string): Date | null;
  /** What waits for this session looks again. */
  wake(sessionId: string): void;
  /** What waits to write to these people looks again within a second. */
  wakeSoon(sessionId: string, chats: Iterable<Jid>): void;
  /** Another account, or none, goes on under this name. */
  forget(sessionId: string): void;
  stop(): void;
}

export interface SendGateParts {
  sends: Pick<SendStore, "postpone" | "lately">;
  cold: Pick<ColdSends, "holdOf" | "open">;
  limits: SendLimits;
  /** The session's own switch. */
  isOn: (sessionId: string) => Promise<boolean>;
  clock: Clock;
  schedule: Schedule;
  random: () => number;
}

export function createSendGate(parts: SendGateParts): SendGate {
  const { sends, cold, limits, isOn, clock, schedule, random } = parts;
  const paces = new Map<string, Promise<Pace>>();
  const sleepers = createSleepers({ clock, schedule });
  const moreTime = createMoreTime(sends);
  const etas = new Map<string, Date>();
  let isStopped = false;

  const now = (): number => clock.now().getTime();
  const nameOf = (sessionId: string, messageId: string): string => `${sessionId} ${messageId}`;
  const mayLeave = async (sessionId: string): Promise<boolean> => limits.enabled && isOn(sessionId);

  /** A process that is started again goes on at the pace of the one before. */
  async function paceSince(sessionId: string): Promise<Pace> {
    const pace = createPace(limits, random);
    if (limits.perMinute === 0) return pace;
    for (const at of await sends.lately(sessionId, new Date(now() - PACE_KNOWS_MS)))
      pace.reserve("", at.getTime());
    return pace;
  }

  function paceOf(sessionId: string): Promise<Pace> {
    const known = paces.get(sessionId) ?? paceSince(sessionId);
    paces.set(sessionId, known);
    known.catch(() => paces.delete(sessionId)); // its caller hears of it; the next one reads again
    return known;
  }

  /** Resolves with the end of what holds the message, or null. */
  async function heldUntil(leaving: Leaving): Promise<number | null> {
    const { sessionId, chatId, messageId } = leaving;
    const isOff = !(await mayLeave(sessionId));
    const hold = isOff ? null : await cold.open(sessionId, chatId);
    if (!isOff && hold === null) return null;
    const until = hold?.until.getTime() ?? now() + OFF_LOOK_MS;
    await moreTime.waitsUntil(leaving, until);
    if (hold !== null) etas.set(nameOf(sessionId, messageId), hold.until);
    return until;
  }

  async function turn(leaving: Leaving): Promise<boolean> {
    const { sessionId, chatId, messageId } = leaving;
    const held = await heldUntil(leaving);
    if (held !== null) {
      await sleepers.sleep(leaving, leaving.isTimed ? Math.min(held, leaving.expiresAt.getTime()) : held);
      return false;
    }
    const at = (await paceOf(sessionId)).reserve(chatId, now());
    if (at <= now()) return true;
    etas.set(nameOf(sessionId, messageId), new Date(at));
    await moreTime.waitsUntil(leaving, at);
    const end = Math.min(at, leaving.expiresAt.getTime());
    while (now() < end && !isStopped) await sleepers.sleep(leaving, end, true);
    // The world went on meanwhile; a place that is not used is lost.
    return !isStopped && now() >= at && (await heldUntil(leaving)) === null;
  }

  const nextAt = async (sessionId: string): Promise<Date> => new Date((await paceOf(sessionId)).next(now()));

  async function outlook(sessionId: string, chatId: Jid): Promise<Outlook> {
    if (!(await mayLeave(sessionId))) return { held: { cause: "off", until: null }, at: null };
    const hold = await cold.holdOf(sessionId, chatId);
    if (hold !== null) return { held: hold, at: hold.until };
    return { held: null, at: await nextAt(sessionId) };
  }

  const refuseOff = async (sessionId: string): Promise<void> => {
    if (!(await mayLeave(sessionId))) throw switchedOff();
  };

  return {
    turn,
    outlook,
    refuseHeld: async (sessionId, chatId) => {
      const { held } = await outlook(sessionId, chatId);
      if (held === null) return;
      throw held.cause === "off" ? switchedOff() : notNow(held);
    },
    refuseOff,
    isOff: async (sessionId) => !(await mayLeave(sessionId)),
    nextAt,
    expect: (sessionId, messageId, at) => void etas.set(nameOf(sessionId, messageId), at),
    begins: (leaving) => moreTime.begins(leaving),
    done: (leaving) => {
      moreTime.ends(leaving);
      etas.delete(nameOf(leaving.sessionId, leaving.messageId));
    },
    etaOf: (sessionId, messageId) => etas.get(nameOf(sessionId, messageId)) ?? null,
    wake: (sessionId) => sleepers.wake(sessionId),
    wakeSoon: (sessionId, chats) => sleepers.wakeSoon(sessionId, chats),
    forget: (sessionId) => {
      paces.delete(sessionId);
      sleepers.wake(sessionId);
    },
    stop: () => {
      isStopped = true;
      sleepers.stop();
    },
  };
}

const switchedOff = (): HubError =>
  new HubError("STATE_CONFLICT", "Sending is switched off.", { details: { sending: "off" } });

const TEXT: Record<Hold["cause"], string> = {
  restricted: "WhatsApp does not let this account open new chats at the moment.",
  new_chats: "This account opened as many new chats as it may for now.",
};

function notNow({ cause, until }: Hold): HubError {
  const advice = adviceOnRefusal(RESTRICTED) ?? "";
  return new HubError("RECIPIENT_RESTRICTED", TEXT[cause], {
    details: {
      cause,
      until: until.toISOString(),
      ...(cause === "restricted" ? { whatsappCode: RESTRICTED, advice, adviceEs: inSpanish(advice) } : {}),
    },
  });
}
