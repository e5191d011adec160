/** What people are called for, and how it is put to them. */
import type { ALERT_CAUSES } from "../contract/event-data.ts";
import { HUB_SESSION } from "../contract/events.ts";
import { inSpanish } from "../core/advice.ts";
import { toSeconds } from "../core/clock.ts";
import { statusOf } from "../core/present.ts";
import type { SessionFigures } from "../core/session-figures.ts";
import type { Session } from "../core/session.ts";
import type { NewEvent } from "../core/store.ts";

export type AlertCause = (typeof ALERT_CAUSES)[number];

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

const TEXTS: Record<AlertCause, { en: string; es: string }> = {
  not_reconnecting: {
    en: "The session cannot connect again.",
    es: "La sesión no consigue volver a conectarse.",
  },
  logged_out: {
    en: "The number was unlinked from this session.",
    es: "El número se desvinculó de esta sesión.",
  },
  replaced: {
    en: "Another program took this session's login over.",
    es: "Otro programa tomó el acceso de esta sesión.",
  },
  banned: { en: "WhatsApp refuses this number.", es: "WhatsApp rechaza este número." },
  outdated: { en: "WhatsApp wants a newer version.", es: "WhatsApp exige una versión más nueva." },
  passkey_required: {
    en: "WhatsApp asks for a passkey of the phone.",
    es: "WhatsApp pide una llave de acceso del teléfono.",
  },
  login_unusable: {
    en: "The session's login cannot be used and was set aside.",
    es: "El acceso de la sesión no se puede usar y se apartó.",
  },
  nothing_heard: {
    en: "The session looks connected, but nothing comes in.",
    es: "La sesión parece conectada, pero no entra nada.",
  },
  endpoint_failing: {
    en: "A webhook receiver takes nothing; its events are kept.",
    es: "Un receptor de webhooks no acepta nada; sus eventos se guardan.",
  },
  endpoint_paused: {
    en: "A webhook receiver said that it is gone and was paused; its events are kept.",
    es: "Un receptor de webhooks dijo que ya no existe y se pausó; sus eventos se guardan.",
  },
  store_down: {
    en: "The hub cannot write to its disk; its accounts are not connected.",
    es: "El hub no puede escribir en su disco; sus cuentas no están conectadas.",
  },
  disk_low: { en: "The hub's disk is almost full.", es: "El disco del hub está casi lleno." },
  backup_failed: {
    en: "The hub could not make its backup.",
    es: "El hub no pudo hacer su copia de seguridad.",
  },
  drill_failed: {
    en: "The newest backup could not be opened when the hub tried it out.",
    es: "La última copia de seguridad no se pudo abrir cuando el hub la probó.",
  },
};

export const textOf = ({ cause }: Pick<Alert, "cause">): { en: string; es: string } => TEXTS[cause];

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
  if (next.state === "store_down") return previous.state === "store_down" ? null : storeAlert();
  const moved = next.state === previous.state ? undefined : BY_STATE[next.state];
  const failed = next.state === "reconnecting" && failedInARow >= after ? "not_reconnecting" : undefined;
  const cause = moved ?? BY_CODE[reason.code] ?? failed;
  if (cause === undefined) return null;
  return {
    sessionId: next.sessionId,
    about: next.sessionName,
    cause,
    status: statusOf(next.state),
    state: next.state,
    advice: reason.advice,
    adviceEs: inSpanish(reason.advice),
  };
}

const isByOrder = ({ reason, deletedAt }: Session): boolean =>
  deletedAt !== null || (reason !== null && ORDERED.has(reason.code));

const isSame = (previous: Session, next: Session): boolean =>
  next.state === previous.state && next.reason?.at.getTime() === previous.reason?.at.getTime();

const ofHub = { sessionId: HUB_SESSION, status: "error", state: null } as const;

export const endpointAlert = (endpointId: string, cause: "endpoint_failing" | "endpoint_paused"): Alert => ({
  ...ofHub,
  about: endpointId,
  cause,
  endpointId,
  advice:
    "Test the endpoint and look at its last errors; everything it missed is sent when it answers again.",
  adviceEs:
    "Pruebe el receptor y mire sus últimos errores; todo lo que perdió se envía cuando vuelva a responder.",
});

export const diskAlert = (): Alert => ({
  ...ofHub,
  about: "Inbox Hub",
  cause: "disk_low",
  advice: "Free disk space. When it is full, WhatsApp keeps the messages and sends are refused.",
  adviceEs:
    "Libere espacio en disco. Cuando se llene, WhatsApp guarda los mensajes y se rechazan los envíos.",
});

const storeAlert = (): Alert => ({
  ...ofHub,
  about: "Inbox Hub",
  cause: "store_down",
  advice:
    "Free disk space or repair the disk (npm run hub -- doctor). Nothing is lost: WhatsApp keeps the messages, and the accounts connect again by themselves.",
  adviceEs:
    "Libere espacio o repare el disco (npm run hub -- doctor). No se pierde nada: WhatsApp guarda los mensajes y las cuentas se conectan de nuevo solas.",
});

export const backupAlert = (cause: "backup_failed" | "drill_failed"): Alert => ({
  ...ofHub,
  about: "Inbox Hub",
  cause,
  advice:
    "Look at the free disk space and at the hub's log, then make one by hand: npm run hub -- backup. The older ones are kept.",
  adviceEs:
    "Revise el espacio libre en disco y el registro del hub, y haga una a mano: npm run hub -- backup. Las anteriores se conservan.",
});

export function alertEvent(alert: Alert, now: Date): NewEvent {
  const { cause, status, state, advice, adviceEs, endpointId } = alert;
  const { en, es } = textOf(alert);
  const data = { status, state, cause, text: en, textEs: es, advice, adviceEs };
  return {
    event: "session.alert",
    chatId: null,
    data: { ...data, ...(endpointId === undefined ? {} : { endpointId }), timestamp: toSeconds(now) },
    exceptClient: null,
    ...(endpointId === undefined ? {} : { exceptEndpoint: endpointId }),
    notBefore: null,
  };
}
