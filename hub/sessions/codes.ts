/** The codes on show while a number is being linked: one to scan, and one to type if somebody asked for it. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { sessionQr } from "../core/session-events.ts";
import type { NewEvent } from "../core/store.ts";

export interface ShownCode {
  /** The string inside the QR code, or the eight characters to type. */
  code: string;
  expiresAt: Date;
}

export interface Codes {
  qr(): ShownCode | null;
  pairing(): ShownCode | null;
  showQr(code: ShownCode): void;
  showPairing(code: ShownCode): void;
  forget(): void;
}

export function createCodes(clock: Clock): Codes {
  let qr: ShownCode | null = null;
  let pairing: ShownCode | null = null;
  const valid = (code: ShownCode | null) => (code !== null && code.expiresAt > clock.now() ? code : null);
  return {
    qr: () => valid(qr),
    pairing: () => valid(pairing),
    showQr: (code) => (qr = code),
    showPairing: (code) => (pairing = code),
    forget: () => (qr = pairing = null),
  };
}

/** The event of a new code to scan, in a hub that draws codes. */
export async function qrEvents(
  { sessionId, qr, expiresAt }: { sessionId: string; qr: string; expiresAt: Date },
  { qrImage, log }: { qrImage: ((qr: string) => Promise<string>) | null; log: Log },
): Promise<NewEvent[]> {
  if (qrImage === null) return [];
  try {
    return [sessionQr({ qrCode: await qrImage(qr), expiresAt })];
  } catch (err) {
    // The code can still be scanned where it is shown; only this event has no picture to carry.
    log.error({ sessionId, err }, "session.qr_not_drawn");
    return [];
  }
}
