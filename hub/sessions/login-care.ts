/** What becomes of one session whose stored login is no use, or is an older copy. The others never notice. */
import { isOpen, type SessionChange } from "../core/session-state.ts";
import type { LoginDamaged } from "../core/whatsapp.ts";
import { damageReason } from "./logins.ts";
import { keyUnreadable, loginDamaged, REASONS, type Cause } from "./reasons.ts";
import type { RunnerParts } from "./runner-parts.ts";
import type { Details, SessionRecord } from "./session-record.ts";

export interface LoginCare {
  /** At the start of the hub: true when the session was set aside, because it must not connect by itself. */
  setsAside(): Promise<boolean>;
  /** The login goes into quarantine. Whoever ordered the connection gets a fresh code instead. */
  damaged(cause: LoginDamaged): Promise<void>;
  /** One of its keys is no use: the session goes on, and its timeline says so once for each kind. */
  keyUnreadable(kind: string): Promise<void>;
}

export function createLoginCare({
  record,
  parts: { connector, logins, store, onKeyUnreadable, log },
  end,
  start,
}: {
  record: SessionRecord;
  parts: Pick<RunnerParts, "connector" | "logins" | "store" | "onKeyUnreadable" | "log">;
  end: (change: SessionChange, cause: Cause, options?: { details?: Details }) => Promise<void>;
  start: () => Promise<void>;
}): LoginCare {
  const loggedOut = { type: "closed", outcome: "logged_out" } as const;
  const noted = new Set<string>();
  /** Shown until somebody connects anew, so that people know which phone to take. */
  const number = (): Details => ({ phoneNumber: record.session().phoneNumber, lid: record.session().lid });

  return {
    setsAside: async () => {
      const { sessionId, state } = record.session();
      const standing = await logins.standing(sessionId);
      if (standing === "stale") {
        await end({ type: "rolled_back" }, REASONS.rolledBack);
        return true;
      }
      // The process ended between a quarantine and its word about it: nobody is there who would scan a code.
      const isLinked = isOpen(state) || state === "reconnecting";
      if (!isLinked || standing !== null || (await connector.isPaired(sessionId))) return false;
      await end(loggedOut, REASONS.loginGone, { details: number() });
      return true;
    },
    damaged: async ({ damage, cause }) => {
      const { sessionId, state } = record.session();
      log.error({ sessionId, damage, err: cause }, "session.login_damaged");
      await logins.quarantine(sessionId, damageReason(damage), { isUndoable: false });
      await end(loggedOut, loginDamaged(damage), { details: number() });
      if (state === "starting") await start();
    },
    keyUnreadable: async (kind) => {
      onKeyUnreadable(kind);
      if (noted.has(kind)) return;
      noted.add(kind);
      await store.note(record.session().sessionId, keyUnreadable(kind));
    },
  };
}
