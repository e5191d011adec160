/** Tells WhatsApp that this device is gone, over a link that is made for nothing else when there is none. */
import type { SessionSignal, WhatsAppConnector, WhatsAppLink } from "../core/whatsapp.ts";
import { within, type Schedule } from "./schedule.ts";

/** A caller waits for the answer, so telling and closing end within eight seconds together. */
const UNLINK_LIMIT_MS = 6_000;
const CLOSE_LIMIT_MS = 2_000;

const UNAUTHORIZED = 401;

/** True when WhatsApp knows; false when it could not be told in time, or refused. */
export async function unlinkOver(link: WhatsAppLink, schedule: Schedule): Promise<boolean> {
  const told = link.logout().then(
    () => true,
    () => false,
  );
  return within(UNLINK_LIMIT_MS, told, false, schedule);
}

/**
 * For credentials without a connection. Takes no place among the connecting sessions: somebody is waiting for the answer,
 * and it never retries.
 */
export async function unlinkAnew(
  sessionId: string,
  { connector, schedule }: { connector: WhatsAppConnector; schedule: Schedule },
): Promise<boolean> {
  let heard: (signal: SessionSignal) => void = () => {};
  const answer = new Promise<SessionSignal>((resolve) => (heard = resolve));
  const opening = connector.open(sessionId, (signal) => {
    if (signal.type !== "pairing_code") heard(signal);
  });
  const telling = (async () => {
    const link = await opening;
    const signal = await answer;
    if (signal.type === "opened") {
      await link.logout();
      return true;
    }
    // Unlinked on the phone while nobody was listening: what was ordered is already so.
    return signal.type === "closed" && signal.code === UNAUTHORIZED;
  })().catch(() => false);
  const isTold = await within(UNLINK_LIMIT_MS, telling, false, schedule);
  const closing = opening.then((link) => link.close()).catch(() => undefined);
  await within(CLOSE_LIMIT_MS, closing, undefined, schedule);
  return isTold;
}
