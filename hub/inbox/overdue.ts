/** Gives up what waited too long: messages that never left in their time, and messages WhatsApp never confirmed. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { SendStore, SessionStore } from "../core/store.ts";
import type { Ingest } from "./ingest.ts";
import { failedFact, givenUp, UNCONFIRMED, type Relay } from "./relay.ts";
import type { SendGate } from "./send-gate.ts";
import { isTimed } from "./send-order.ts";

const LOOK_EVERY_MS = 5_000;
const CONFIRMED_WITHIN_MS = 24 * 60 * 60 * 1000;
/** After sending was off. */
const MORE_MS = 60 * 60 * 1000;

export interface OverdueParts {
  sends: Pick<SendStore, "waiting" | "unconfirmed" | "postpone">;
  sessions: Pick<SessionStore, "list">;
  relay: Pick<Relay, "isHeld">;
  gate: Pick<SendGate, "isOff">;
  ingest: Ingest;
  clock: Clock;
  log: Log;
}

export interface Overdue {
  /** Looks now; the timer does the same every few seconds. */
  look(): Promise<void>;
  /** Resolves when nothing of it touches the store any more. */
  stop(): Promise<void>;
}

export function watchOverdue({ sends, sessions, relay, gate, ingest, clock, log }: OverdueParts): Overdue {
  const lookAt = async (sessionId: string): Promise<void> => {
    const now = clock.now();
    const due = (await sends.waiting(sessionId)).filter(
      ({ messageId, expiresAt }) => expiresAt <= now && !relay.isHeld(sessionId, messageId),
    );
    // What we ourselves hold back is not given up, connected or not.
    const kept =
      due.length > 0 && (await gate.isOff(sessionId)) ? due.filter((row) => !isTimed(row.order)) : [];
    for (const { messageId } of kept)
      await sends.postpone(sessionId, messageId, new Date(now.getTime() + MORE_MS));
    const expired = due.filter((row) => !kept.includes(row));
    const silent = await sends.unconfirmed(sessionId, new Date(now.getTime() - CONFIRMED_WITHIN_MS));
    const facts = [
      ...expired.map((row) => failedFact(row.chatId, row.messageId, givenUp(row), now)),
      ...silent.map(({ chatId, messageId }) => failedFact(chatId, messageId, UNCONFIRMED, now)),
    ];
    if (facts.length === 0) return;
    await ingest({ sessionId, facts, closes: [] });
    log.warn({ sessionId, expired: expired.length, unconfirmed: silent.length }, "messages.given_up");
  };

  let running: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    for (const { sessionId } of await sessions.list()) await lookAt(sessionId);
  };
  const lookOnce = (): Promise<void> => {
    running ??= look().finally(() => {
      running = null;
    });
    return running;
  };

  const timer = setInterval(() => {
    lookOnce().catch((error: unknown) => log.error({ err: error }, "messages.overdue_unknown"));
  }, LOOK_EVERY_MS);
  timer.unref();
  return {
    look: lookOnce,
    stop: async () => {
      clearInterval(timer);
      await Promise.allSettled([running]);
    },
  };
}
