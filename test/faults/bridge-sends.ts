/** What a CRM does when one of its users presses "send": it waits so long and no longer. */
import { recordOf } from "../support/http-rig.ts";
import { SITE_KEY, type BridgeSite } from "../support/bridge-site.ts";
import { person, SESSION } from "./bridge-stand.ts";

export interface SendAnswer {
  status: number;
  messageId: string | null;
  message: Record<string, unknown>;
}

export async function send(
  { url }: BridgeSite,
  {
    text,
    key,
    to = 1,
    patienceMs = 30_000,
  }: { text: string; key?: string; to?: number; patienceMs?: number },
): Promise<SendAnswer> {
  const response = await fetch(`${url}/api/method/xappiens_whatsapp.api.messages.send_message`, {
    method: "POST",
    headers: {
      Authorization: `token ${SITE_KEY}`,
      "Content-Type": "application/json",
      ...(key === undefined ? {} : { "Idempotency-Key": key }),
    },
    body: JSON.stringify({
      session_name: SESSION,
      to: person(to).replace("@s.whatsapp.net", "@c.us"),
      message: text,
    }),
    signal: AbortSignal.timeout(patienceMs),
  });
  const message = recordOf(recordOf(await response.json())["message"]);
  const id = message["message_id"];
  return { status: response.status, messageId: typeof id === "string" ? id : null, message };
}
