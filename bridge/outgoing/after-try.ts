/** What a try to send that did not succeed means: for this order, for its session, for all that waits. */
import { HubUnavailable } from "../errors.ts";
import { isMedia } from "./media-types.ts";

/**
 * away      the hub cannot be reached, or says that it cannot take anything now: nothing else would be taken either
 * key       nor would it with the bridge's own key, which the hub does not accept: a person has to act, no order is to blame
 * limited   nor would it, since the bridge's key asked as much as it may in a minute
 * session   nothing of this session is taken now
 * lane      nothing for this recipient
 * refused   the hub answered and would answer the same again
 */
interface TryFailure {
  scope: "away" | "key" | "limited" | "session" | "lane" | "refused";
  /** As the hub said; null when it did not. */
  waitMs: number | null;
}

const AWAY = [502, 503, 504];
/** Without a code these are a proxy's word on this request, or on whoever asks: the next one may be taken. */
const OF_THE_REQUEST = [401, 403, 413, 414, 429, 431];
const OUR_KEY = [401, 403];
const OF_SESSION = ["SESSION_NOT_CONNECTED", "SESSION_BUSY"];

/**
 * No answer, a word that the hub is not there (of itself while it starts or stops, or of a proxy before it), or an answer that
 * is none of the hub's, which gives every refusal a code: a proxy's page, a redirection to one.
 */
export const isAway = (cause: unknown): cause is HubUnavailable =>
  cause instanceof HubUnavailable &&
  (cause.status === null ||
    AWAY.includes(cause.status) ||
    (cause.code === null && !OF_THE_REQUEST.includes(cause.status)));

/** Of whatever the bridge asks, by whatever session; a session's own limit has a code of its own. */
const isLimited = (cause: HubUnavailable): boolean => cause.code === "RATE_LIMIT_EXCEEDED";

/** Nothing is wrong with what was asked: it can be kept for a moment at which the hub takes it. */
export const isNotNow = (cause: unknown): cause is HubUnavailable =>
  isAway(cause) || (cause instanceof HubUnavailable && isLimited(cause));

/** `type`: of the order that was tried. */
export function failureOfTry(cause: unknown, type: string): TryFailure {
  if (!(cause instanceof HubUnavailable)) return { scope: "refused", waitMs: null };
  const seconds = cause.retryAfterSeconds;
  return { scope: scopeOf(cause, type), waitMs: seconds === null ? null : seconds * 1000 };
}

function scopeOf(cause: HubUnavailable, type: string): TryFailure["scope"] {
  const { status, code } = cause;
  // For files the hub runs out of room long before it does for anything else.
  if (code === "OVERLOADED" && isMedia(type)) return "lane";
  if (isAway(cause)) return "away";
  if (isLimited(cause)) return "limited";
  if (status !== null && OUR_KEY.includes(status)) return "key";
  // Of a hub that came back a moment ago the accounts are still connecting.
  if (status === 429 || (code !== null && OF_SESSION.includes(code))) return "session";
  return code === "IDEMPOTENCY_IN_PROGRESS" ? "lane" : "refused";
}
