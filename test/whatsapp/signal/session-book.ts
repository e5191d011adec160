/** The sessions shared with one peer device: one to write by, and older ones that late messages may still need. */
import { decryptInSession, type Session } from "./session.ts";

const MAX_SESSIONS = 20;

export interface SessionBook {
  /** The session to write by. */
  current(): Session | undefined;
  withBaseKey(baseKey: Buffer): Session | undefined;
  /** Makes a session the current one. */
  add(session: Session): void;
  /** The same, once its first message proved genuine. */
  decryptFirst(session: Session, ciphertext: Uint8Array): Buffer;
  /** Reads by whichever session can, which becomes the current one unless it was retired. */
  decrypt(ciphertext: Uint8Array): Buffer;
  /** From now on the sessions so far are only read by. */
  retireAll(): void;
}

export function createSessionBook(): SessionBook {
  /** Newest use first. */
  let sessions: Session[] = [];
  const toFront = (session: Session) => {
    if (sessions[0] === session) return;
    sessions = [session, ...sessions.filter((other) => other !== session)].slice(0, MAX_SESSIONS);
  };

  return {
    current: () => sessions.find(({ isRetired }) => !isRetired),
    withBaseKey: (baseKey) => sessions.find((session) => session.baseKey.equals(baseKey)),
    add: toFront,
    decryptFirst: (session, ciphertext) => {
      const plaintext = decryptInSession(session, ciphertext);
      toFront(session);
      return plaintext;
    },
    decrypt: (ciphertext) => {
      const failures: unknown[] = [];
      for (const session of sessions) {
        try {
          const plaintext = decryptInSession(session, ciphertext);
          if (!session.isRetired) toFront(session);
          return plaintext;
        } catch (failure) {
          failures.push(failure);
        }
      }
      throw new AggregateError(failures, `none of ${sessions.length} sessions reads the message`);
    },
    retireAll: () => sessions.forEach((session) => (session.isRetired = true)),
  };
}
