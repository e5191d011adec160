/** Table: what people are called for, in both languages. A session's own reason says what helps; where there is none, it is here. */
import type { ALERT_CAUSES } from "../contract/event-data.ts";

export type AlertCause = (typeof ALERT_CAUSES)[number];

export interface Words {
  en: string;
  es: string;
}

interface CauseRow {
  text: Words;
  /** Null: as the session's reason says. */
  advice: Words | null;
}

const LOOK_AT_RECEIVER: Words = {
  en: "Test the endpoint and look at its last errors; everything it missed is sent when it answers again.",
  es: "Pruebe el receptor y mire sus últimos errores; todo lo que perdió se envía cuando vuelva a responder.",
};
const MAKE_BACKUP: Words = {
  en: "Look at the free disk space and at the hub's log, then make one by hand: npm run hub -- backup. The older ones are kept.",
  es: "Revise el espacio libre en disco y el registro del hub, y haga una a mano: npm run hub -- backup. Las anteriores se conservan.",
};

export const CAUSES: Record<AlertCause, CauseRow> = {
  not_reconnecting: {
    text: { en: "The session cannot connect again.", es: "La sesión no consigue volver a conectarse." },
    advice: null,
  },
  logged_out: {
    text: {
      en: "The number was unlinked from this session.",
      es: "El número se desvinculó de esta sesión.",
    },
    advice: null,
  },
  replaced: {
    text: {
      en: "Another program took this session's login over.",
      es: "Otro programa tomó el acceso de esta sesión.",
    },
    advice: null,
  },
  banned: {
    text: { en: "WhatsApp refuses this number.", es: "WhatsApp rechaza este número." },
    advice: null,
  },
  outdated: {
    text: { en: "WhatsApp wants a newer version.", es: "WhatsApp exige una versión más nueva." },
    advice: null,
  },
  passkey_required: {
    text: {
      en: "WhatsApp asks for a passkey of the phone.",
      es: "WhatsApp pide una llave de acceso del teléfono.",
    },
    advice: null,
  },
  login_unusable: {
    text: {
      en: "The session's login cannot be used and was set aside.",
      es: "El acceso de la sesión no se puede usar y se apartó.",
    },
    advice: null,
  },
  nothing_heard: {
    text: {
      en: "The session looks connected, but nothing comes in.",
      es: "La sesión parece conectada, pero no entra nada.",
    },
    advice: null,
  },
  messages_unreadable: {
    text: {
      en: "Many messages of this session cannot be decrypted.",
      es: "Muchos mensajes de esta sesión no se pueden descifrar.",
    },
    advice: {
      en: "Leave WhatsApp open on the phone: each message is asked for again. If it does not stop, make sure that no other program uses a copy of this login, then restart the session; the login is not at fault, do not link anew.",
      es: "Deje WhatsApp abierto en el teléfono: cada mensaje se pide otra vez. Si no para, compruebe que ningún otro programa usa una copia de este acceso y reinicie la sesión; el acceso no tiene la culpa, no vincule de nuevo.",
    },
  },
  endpoint_failing: {
    text: {
      en: "A webhook receiver takes nothing; its events are kept.",
      es: "Un receptor de webhooks no acepta nada; sus eventos se guardan.",
    },
    advice: LOOK_AT_RECEIVER,
  },
  endpoint_paused: {
    text: {
      en: "A webhook receiver said that it is gone and was paused; its events are kept.",
      es: "Un receptor de webhooks dijo que ya no existe y se pausó; sus eventos se guardan.",
    },
    advice: LOOK_AT_RECEIVER,
  },
  events_parked: {
    text: {
      en: "A webhook receiver refuses events: some were parked and are not sent again by themselves.",
      es: "Un receptor de webhooks rechaza eventos: algunos quedaron aparcados y no se reenvían solos.",
    },
    advice: {
      en: "See which and why (GET /api/deliveries?state=dead), mend the receiver, then send them again: npm run hub -- replay --state dead --yes. What needs no sending can be dismissed.",
      es: "Vea cuáles y por qué (GET /api/deliveries?state=dead), corrija el receptor y envíelos de nuevo: npm run hub -- replay --state dead --yes. Lo que no hace falta enviar se puede descartar.",
    },
  },
  store_down: {
    text: {
      en: "The hub cannot write to its disk; its accounts are not connected.",
      es: "El hub no puede escribir en su disco; sus cuentas no están conectadas.",
    },
    advice: {
      en: "Free disk space or repair the disk (npm run hub -- doctor). Nothing is lost: WhatsApp keeps the messages, and the accounts connect again by themselves.",
      es: "Libere espacio o repare el disco (npm run hub -- doctor). No se pierde nada: WhatsApp guarda los mensajes y las cuentas se conectan de nuevo solas.",
    },
  },
  disk_low: {
    text: { en: "The hub's disk is almost full.", es: "El disco del hub está casi lleno." },
    advice: {
      en: "Free disk space. When it is full, WhatsApp keeps the messages and sends are refused.",
      es: "Libere espacio en disco. Cuando se llene, WhatsApp guarda los mensajes y se rechazan los envíos.",
    },
  },
  overloaded: {
    text: {
      en: "The hub does not keep up with its work; what can wait is put off.",
      es: "El hub no da abasto; aplaza lo que puede esperar.",
    },
    advice: {
      en: "Look at what else uses the processor and the disk of this machine. Messages are taken and sent all the same; /health says what waits.",
      es: "Mire qué más usa el procesador y el disco de esta máquina. Los mensajes se reciben y se envían igual; /health dice qué espera.",
    },
  },
  backup_failed: {
    text: { en: "The hub could not make its backup.", es: "El hub no pudo hacer su copia de seguridad." },
    advice: MAKE_BACKUP,
  },
  drill_failed: {
    text: {
      en: "The newest backup could not be opened when the hub tried it out.",
      es: "La última copia de seguridad no se pudo abrir cuando el hub la probó.",
    },
    advice: MAKE_BACKUP,
  },
  backup_overdue: {
    text: {
      en: "The last good backup is older than it should be.",
      es: "La última copia de seguridad buena es más vieja de lo debido.",
    },
    advice: MAKE_BACKUP,
  },
  drill_overdue: {
    text: {
      en: "No backup was tried out for more than a month.",
      es: "Hace más de un mes que no se prueba ninguna copia de seguridad.",
    },
    advice: {
      en: "Leave the hub running at night: it tries the newest backup out at 3:37 until that has worked. npm run hub -- drill tries it now.",
      es: "Deje el hub en marcha de noche: prueba la copia más nueva a las 3:37 hasta que funcione. npm run hub -- drill la prueba ahora.",
    },
  },
};
