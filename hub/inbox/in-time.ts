/** A connection can fall silent without breaking: whoever waits for it waits for so long, and then hears that it was too long. */
import { HubError } from "../core/errors.ts";

/** A library call that never ends must not hold its chat for ever; big files need their time to upload. */
export const SEND_DEADLINE_MS = 10 * 60 * 1000;
/** What is no message is answered within 5 s, whatever WhatsApp does; with some room for our own part. */
export const ORDER_MS = 3_500;

export const noAnswer = (): HubError => new HubError("WHATSAPP_ERROR", "WhatsApp did not answer in time.");

/** @throws what `late` makes when `asked` takes longer; what becomes of it then, nobody hears. */
export async function inTime<T>(asked: Promise<T>, ms: number, late: () => HubError = noAnswer): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), ms);
    timer.unref();
  });
  try {
    return await Promise.race([asked, over]);
  } finally {
    clearTimeout(timer);
  }
}
