/** The root logger: JSON lines, with everything that must never be written taken out wherever it stands. */
import { pino, type Logger } from "pino";

const SECRET_KEYS = [
  "accessToken",
  "apiKey",
  "authorization",
  "body",
  "content",
  "cookie",
  "masterKey",
  "pairingCode",
  "password",
  "phone",
  "phoneNumber",
  "qr",
  "refreshToken",
  "secret",
  "text",
  "token",
];

export type RootLog = Logger;

export function createLog(level: string): RootLog {
  return pino({
    name: "inbox-hub",
    level,
    redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: "[redacted]" },
    formatters: { level: (label) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
