/** Decision: what follows when a connection ended. Credentials are only ever touched on WhatsApp's own word. */
import { nextBackoff } from "../core/backoff.ts";
import type { ClosedOutcome } from "../core/session-state.ts";
import type { SessionReason } from "../core/session.ts";

/** What the table of disconnect codes says about one of them. */
export interface CloseVerdict {
  outcome: ClosedOutcome;
  text: string;
  blame: SessionReason["blame"];
  advice: string;
  /** The first wait, for codes where one second would only annoy. */
  firstDelayMs?: number;
}

/** `paired`: whether the credentials had an account; `until`: the end of a ban, where WhatsApp named one. */
export type ReasonOf = (code: number, paired: boolean, until: Date | null) => CloseVerdict;

/** What one account's failures so far mean for the next one. */
export interface CloseHistory {
  /** Failed tries without a minute of connection in between. */
  failures: number;
  /** Times WhatsApp called us too old, in a row. */
  outdated: number;
  /** When another program last took the login over. */
  replacedAt: Date | null;
}

export const freshHistory: CloseHistory = { failures: 0, outdated: 0, replacedAt: null };

export type AfterClose =
  | { next: "retry"; delayMs: number; history: CloseHistory; retire: boolean }
  | { next: "end"; outcome: ClosedOutcome; retire: boolean };

const OUTDATED_TRIES = 3;
/** Once may be a deployment that overlapped; answering at once would throw the other program out in turn. */
const REPLACED_RETRY_MS = 60_000;
const REPLACED_WINDOW_MS = 600_000;
const UNAUTHORIZED = 401;
/** "Too old" may pass: WhatsApp says it for a moment when it changes versions. Other mismatches do not. */
const TOO_OLD = [405, 409];

interface Ending {
  /** Null when the end came without a code. */
  code: number | null;
  /** Whether the credentials had an account. */
  paired: boolean;
  verdict: CloseVerdict;
  history: CloseHistory;
  /** A code was on show in this attempt: without one nobody can have been late for it. */
  codeShown: boolean;
  now: Date;
  random: () => number;
}

export function afterClose(ending: Ending): AfterClose {
  const { code, paired, verdict, history, now, random } = ending;
  const { outcome, firstDelayMs: firstMs } = verdict;
  // A refused scan leaves credentials that no account stands behind: the next try begins with new ones.
  const retire = outcome === "logged_out" || (!paired && code === UNAUTHORIZED);
  if (isFinal(ending)) return { next: "end", outcome, retire };
  if (outcome === "replaced")
    return { next: "retry", delayMs: REPLACED_RETRY_MS, history: { ...history, replacedAt: now }, retire };
  const outdated = outcome === "outdated" ? history.outdated + 1 : history.outdated;
  const { delayMs, failures } = nextBackoff({ failures: history.failures, firstMs, random });
  return { next: "retry", delayMs, history: { ...history, failures, outdated }, retire };
}

function isFinal({ code, verdict: { outcome }, history, codeShown, now }: Ending): boolean {
  switch (outcome) {
    case "retry":
      return false;
    case "qr_expired":
      return codeShown;
    case "outdated":
      return code === null || !TOO_OLD.includes(code) || history.outdated + 1 >= OUTDATED_TRIES;
    case "replaced":
      return (
        history.replacedAt !== null && now.getTime() - history.replacedAt.getTime() <= REPLACED_WINDOW_MS
      );
    case "logged_out":
    case "banned":
    case "passkey_required":
      return true;
  }
}
