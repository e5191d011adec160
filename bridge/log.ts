/** The bridge's logger: one JSON line per fact, with everything that must never be written taken out. */
import { pino } from "pino";

const SECRET_KEYS = [
  "apiKey",
  "authorization",
  "body",
  "content",
  "phone",
  "phoneNumber",
  "qrCode",
  "qrCodeDataUrl",
  "pairingCode",
  "secret",
  "text",
  "token",
];

/** The part of a logger our code uses: the facts first, then the event's name. */
export interface Log {
  debug(facts: object, event: string): void;
  info(facts: object, event: string): void;
  warn(facts: object, event: string): void;
  error(facts: object, event: string): void;
}

export interface RootLog extends Log {
  child(bindings: object): Log;
}

export function createLog(level: string): RootLog {
  return pino({
    name: "inbox-bridge",
    level,
    redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: "[redacted]" },
    formatters: { level: (label) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
