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
  free: {
    text: "This account may open new chats again; what waited for it is being sent.",
    textEs: "Esta cuenta puede abrir chats nuevos otra vez; se envía lo que esperaba.",
  },
};

/** Null: it is over. */
export function sessionRestricted(
  session: Session,
  restriction: { until: Date; type: string | null } | null,
  now: Date,
): NewEvent {
  const { status, isConnected } = presentSession(session);
  const isRestricted = restriction !== null;
  const advice = isRestricted ? adviceOnRefusal(RESTRICTED) : null;
  return {
    event: "session.restricted",
    chatId: null,
    data: {
      status,
      isConnected,
      restricted: isRestricted,
      until: restriction?.until.toISOString() ?? null,
      type: restriction?.type ?? null,
      ...(isRestricted ? TEXT.restricted : TEXT.free),
      advice,
      adviceEs: advice === null ? null : inSpanish(advice),
      timestamp: toSeconds(now),
    },
    exceptClient: null,
    notBefore: null,
  };
}

/** As a session shows it in place of the reason of a loss. */
export const restrictionReason = (since: Date) => {
  const advice = adviceOnRefusal(RESTRICTED) ?? "";
  return {
    code: RESTRICTED,
    text: TEXT.restricted.text,
    blame: "whatsapp" as const,
    advice,
    adviceEs: inSpanish(advice),
    at: since.toISOString(),
  };
};
