/** Asking the own phone for a message that this device could not read. */
import type { Log } from "../core/log.ts";
import { decodeMessageNode, type AuthenticationCreds, type WASocket } from "./baileys.ts";
import type { InFlight } from "./in-flight.ts";
import { keyOf } from "./outgoing.ts";

/** The answer comes as a message of the phone to this device, whenever the phone is there. */
export function askPhoneFor(
  stanza: InFlight,
  {
    socket,
    creds,
    sessionId,
    log,
  }: {
    socket: Pick<WASocket, "requestPlaceholderResend">;
    creds: AuthenticationCreds;
    sessionId: string;
    log: Log;
  },
): void {
  const { id: meId = "", lid: meLid = "" } = creds.me ?? {};
  const { fullMessage } = decodeMessageNode(stanza.node, meId, meLid);
  const { remoteJid, fromMe, participant } = fullMessage.key;
  const key = keyOf({
    chatId: remoteJid ?? stanza.chat,
    id: stanza.id,
    fromMe: fromMe === true,
    participant: participant ?? null,
  });
  socket.requestPlaceholderResend(key, fullMessage).catch((cause: unknown) => {
    // The connection went; the sender may still send it again.
    const error = cause instanceof Error ? cause.name : "unknown";
    log.info({ sessionId, error }, "whatsapp.phone_not_asked");
  });
}
