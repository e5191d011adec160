/** One thing that people are called for: what it is about, and which change of a session is worth it. */
import { HUB_SESSION } from "../contract/events.ts";
import { inSpanish } from "../core/advice.ts";
import { statusOf } from "../core/present.ts";
import type { SessionFigures } from "../core/session-figures.ts";
import type { Session } from "../core/session.ts";
import { CAUSES, type AlertCause, type Words } from "./causes.ts";

export interface Alert {
  /** `_hub` when it is about no single session. */
  sessionId: string;
  /** The session's name, the endpoint's id, or the hub: what a person knows it by. */
  about: string;
  cause: AlertCause;
  status: ReturnType<typeof statusOf>;
  state: string | null;
  advice: string;
  adviceEs: string;
  endpointId?: string;
}

/** States that a person has to end. */
const BY_STATE: Partial<Record<Session["state"], AlertCause>> = {
  logged_out: "logged_out",
  replaced: "replaced",
  banned: "banned",
  outdated: "outdated",
  passkey_required: "passkey_required",
  rolled_back: "login_unusable",
};
const BY_CODE: Record<string, AlertCause> = {
  not_cured: "nothing_heard",
  login_gone: "login_unusable",
  login_damaged: "login_unusable",
};
/** A session that was never connected, or was scanned a moment ago, fails without leaving its state. */
const TRYING: Session["state"][] = ["reconnecting", "starting", "pairing"];
/** Done by order: whoever gave it knows. */
const ORDERED = new Set(["logout", "stopped", "cleaned"]);

/** The alert that a change of a session is worth; null for almost all of them. */
export function alertOfMove(
  previous: Session,
  next: Session,
  { failedInARow }: Pick<SessionFigures, "failedInARow">,
  after: number,
): Alert | null {
  const { reason } = next;
  if (reason === null || isByOrder(next) || isSame(previous, next)) return null;
  // One disk for all accounts: whichever comes first speaks for them.
  if (next.state === "store_down") return previous.state === "store_down" ? null : hubAlert("store_down");
  const moved = next.state === previous.state ? undefined : BY_STATE[next.state];
  const failed = TRYING.includes(next.state) && failedInARow >= after ? "not_reconnecting" : undefined;
  const cause = moved ?? BY_CODE[reason.code] ?? failed;
  return cause === undefined ? null : sessionAlert(next, cause);
}

/** People are called for the state itself. */
export const isOfState = (state: Session["state"]): boolean => BY_STATE[state] !== undefined;

/** As the session stands now. */
export function sessionAlert({ sessionId, sessionName, state, reason }: Session, cause: AlertCause): Alert {
  const said: Words = { en: reason?.advice ?? "", es: inSpanish(reason?.advice ?? "") };
  const { en, es } = CAUSES[cause].advice ?? said;
  return { sessionId, about: sessionName, cause, status: statusOf(state), state, advice: en, adviceEs: es };
}

/** Ended by whoever ordered it, and no longer anybody's trouble. */
export const isByOrder = ({ reason, deletedAt }: Session): boolean =>
  deletedAt !== null || (reason !== null && ORDERED.has(reason.code));

const isSame = (previous: Session, next: Session): boolean =>
  next.state === previous.state && next.reason?.at.getTime() === previous.reason?.at.getTime();

export function hubAlert(cause: AlertCause): Alert {
  const { en, es } = CAUSES[cause].advice ?? { en: "", es: "" };
  return {
    ...{ sessionId: HUB_SESSION, about: "Inbox Hub", cause },
    ...{ status: "error", state: null, advice: en, adviceEs: es },
  };
}

export const endpointAlert = (endpointId: string, cause: AlertCause): Alert => ({
  ...hubAlert(cause),
  about: endpointId,
  endpointId,
});
