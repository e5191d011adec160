/** What CRMs are told when WhatsApp forbids an account to write first to people, and when it may again. */
import { adviceOnRefusal, RESTRICTED } from "./advice-on-refusals.ts";
import { inSpanish } from "./advice.ts";
import { toSeconds } from "./clock.ts";
import { presentSession } from "./present.ts";
import type { Session } from "./session.ts";
import type { NewEvent } from "./store.ts";

const TEXT = {
  restricted: {
    text: "WhatsApp does not let this account open new chats for now; chats of people who wrote go on.",
    textEs:
      "WhatsApp no deja que esta cuenta abra chats nuevos por ahora; los chats de quienes escribieron siguen.",
  },
  untilUnknown: {
    text: "WhatsApp does not let this account open new chats, and does not say until when; chats of people who wrote go on.",
    textEs:
      "WhatsApp no deja que esta cuenta abra chats nuevos y no dice hasta cuándo; los chats de quienes escribieron siguen.",
  },
  tried: {
    text: "WhatsApp never said until when this account may open no new chats; what waited is tried again now.",
    textEs:
      "WhatsApp nunca dijo hasta cuándo esta cuenta no puede abrir chats nuevos; ahora se intenta otra vez lo que esperaba.",
  },
  free: {
    text: "This account may open new chats again; what waited for it is being sent.",
    textEs: "Esta cuenta puede abrir chats nuevos otra vez; se envía lo que esperaba.",
  },
};

interface Restricted {
  until: Date;
  /** False: `until` is when it is tried again; WhatsApp does not say. */
  isUntilKnown: boolean;
  type: string | null;
}

const wordsOf = (restriction: Pick<Restricted, "isUntilKnown">) =>
  restriction.isUntilKnown ? TEXT.restricted : TEXT.untilUnknown;

/** Null: it is over; `isTried`: as far as we know, which is not much. */
export function sessionRestricted(
  session: Session,
  restriction: Restricted | null,
  now: Date,
  isTried = false,
): NewEvent {
  const { status, isConnected } = presentSession(session);
  const isRestricted = restriction !== null;
  const advice = isRestricted ? adviceOnRefusal(RESTRICTED) : null;
  const words = isRestricted ? wordsOf(restriction) : isTried ? TEXT.tried : TEXT.free;
  return {
    event: "session.restricted",
    chatId: null,
    data: {
      status,
      isConnected,
      restricted: isRestricted,
      until: restriction?.isUntilKnown === true ? restriction.until.toISOString() : null,
      heldUntil: restriction?.until.toISOString() ?? null,
      type: restriction?.type ?? null,
      ...words,
      advice,
      adviceEs: advice === null ? null : inSpanish(advice),
      timestamp: toSeconds(now),
    },
    exceptClient: null,
    notBefore: null,
  };
}

/** As a session shows it in place of the reason of a loss. */
export const restrictionReason = (restriction: Restricted & { since: Date }) => {
  const advice = adviceOnRefusal(RESTRICTED) ?? "";
  return {
    code: RESTRICTED,
    text: wordsOf(restriction).text,
    blame: "whatsapp" as const,
    advice,
    adviceEs: inSpanish(advice),
    at: restriction.since.toISOString(),
  };
};
