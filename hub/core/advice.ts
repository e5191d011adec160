/** The advice that comes with reasons, in Spanish. By the English sentence, so that rows of any age can be shown in both. */

const SPANISH: Record<string, string> = {
  "Appeal in the WhatsApp app on the phone.": "Apele la decisión en la aplicación de WhatsApp del teléfono.",
  "Ask for a new code when the phone is at hand.": "Pida un código nuevo cuando tenga el teléfono a mano.",
  "Check proxy and firewall.": "Revise el proxy y el cortafuegos.",
  "Check that the phone is on and online; the hub makes a new connection by itself.":
    "Compruebe que el teléfono está encendido y con internet; el hub se vuelve a conectar solo.",
  "Check that this machine reaches web.whatsapp.com.": "Compruebe que esta máquina llega a web.whatsapp.com.",
  "Check the internet connection, proxy and firewall.":
    "Revise la conexión a internet, el proxy y el cortafuegos.",
  "Confirm the passkey on the phone, or link with a pairing code.":
    "Confirme la llave de acceso en el teléfono o vincule con un código de emparejamiento.",
  "Connect and scan a fresh QR code to link a number again.":
    "Conecte y escanee un código QR nuevo para volver a vincular un número.",
  "Finishing the link…": "Terminando la vinculación…",
  "Free disk space or repair the disk; the session reconnects by itself.":
    "Libere espacio o repare el disco; la sesión se vuelve a conectar sola.",
  "If it does not connect again by itself, send us the session's timeline.":
    "Si no se vuelve a conectar sola, envíenos la cronología de la sesión.",
  "Link the number again; history and settings are kept.":
    "Vuelva a vincular el número; se conservan el historial y los ajustes.",
  "Look at the hub's load and disk; the hub tries to free them by itself.":
    "Revise la carga y el disco del hub; el hub intenta liberarlos solo.",
  "Look into the hub's log for the cause.": "Busque la causa en el registro del hub.",
  "Nothing to do yet: the hub makes a new connection by itself.":
    "Por ahora no hay nada que hacer: el hub se vuelve a conectar solo.",
  "Nothing to do: the hub connects again by itself.":
    "No hay nada que hacer: el hub se vuelve a conectar solo.",
  "Open WhatsApp on the phone and follow its notice.": "Abra WhatsApp en el teléfono y siga su aviso.",
  "Open WhatsApp on the phone; if messages arrive there and not here, restart the session.":
    "Abra WhatsApp en el teléfono; si allí llegan mensajes y aquí no, reinicie la sesión.",
  "Press Connect: the session goes on with new keys. A few messages may arrive a little later.":
    "Pulse Conectar: la sesión sigue con claves nuevas. Algunos mensajes pueden llegar un poco más tarde.",
  "Press Connect; no new QR code is needed.": "Pulse Conectar; no hace falta un código QR nuevo.",
  "Remove the device on the phone under Linked devices; connect to link a number again.":
    "Quite el dispositivo en el teléfono, en Dispositivos vinculados; conecte para volver a vincular un número.",
  "Restore a backup, or connect and scan a fresh QR code. Messages and settings are kept.":
    "Restaure una copia de seguridad, o conecte y escanee un código QR nuevo. Se conservan los mensajes y los ajustes.",
  "Scan a fresh code.": "Escanee un código nuevo.",
  "Scan the new QR code, or undo the cleanup to go on with the login from before.":
    "Escanee el código QR nuevo, o deshaga la limpieza para seguir con el acceso anterior.",
  "Stop the other program before you connect here again.":
    "Detenga el otro programa antes de volver a conectar aquí.",
  "Stop the other program, then connect again.": "Detenga el otro programa y vuelva a conectar.",
  "Undo the last cleanup, or connect and scan a fresh QR code.":
    "Deshaga la última limpieza, o conecte y escanee un código QR nuevo.",
  "Update Inbox Hub.": "Actualice Inbox Hub.",
  "Update WhatsApp on the phone, then link again.": "Actualice WhatsApp en el teléfono y vuelva a vincular.",
  "Use that session, or log it out before linking the number here.":
    "Use esa sesión, o ciérrela antes de vincular el número aquí.",
  "Let the person write first, or wait until the restriction ends; do not send it again before. Chats of people who wrote go on.":
    "Deje que la persona escriba primero, o espere a que termine la restricción; no lo reenvíe antes. Los chats de quienes escribieron siguen.",
  "The receiver's devices were asked for anew and it was refused again; try once more in some minutes.":
    "Se pidieron de nuevo los dispositivos del destinatario y se rechazó otra vez; inténtelo de nuevo en unos minutos.",
  "Send fewer messages for some hours.": "Envíe menos mensajes durante unas horas.",
  "Send it again if it still matters.": "Envíelo de nuevo si todavía importa.",
  "Look on the phone whether it arrived before sending it again.":
    "Mire en el teléfono si llegó antes de enviarlo de nuevo.",
  "Wait a moment.": "Espere un momento.",
  "Wait until the time that WhatsApp shows on the phone; do not link again before.":
    "Espere hasta la hora que WhatsApp muestra en el teléfono; no vuelva a vincular antes.",
};

/** The English sentence itself where there is no other. */
export const inSpanish = (advice: string): string => SPANISH[advice] ?? advice;
export const hasSpanish = (advice: string): boolean => Object.hasOwn(SPANISH, advice);
