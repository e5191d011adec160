/**
 * Baileys' logger, turned into ours: warnings and errors only, with every number blanked and no object passed on, because
 * Baileys logs stanzas, addresses, QR codes and keys. The same line again within ten seconds is counted, not written.
 */
import type { Log } from "../core/log.ts";

/** The shape Baileys asks for (its `ILogger`, which the package does not export). */
export interface BaileysLogger {
  level: string;
  child(facts: Record<string, unknown>): BaileysLogger;
  trace(facts: unknown, text?: string): void;
  debug(facts: unknown, text?: string): void;
  info(facts: unknown, text?: string): void;
  warn(facts: unknown, text?: string): void;
  error(facts: unknown, text?: string): void;
}

const REPEAT_MS = 10_000;
const MAX_LINES = 200;
const MAX_TEXT = 200;

/** Phone numbers, hidden ids, message ids and key material are all runs of digits, hexadecimals or base64. */
const blank = (text: string): string =>
  text.slice(0, MAX_TEXT).replace(/\d{4,}|[0-9A-Fa-f]{12,}|[A-Za-z0-9+/]{40,}=*/g, "#");

export function createBaileysLog(log: Log, sessionId: string): BaileysLogger {
  const seen = new Map<string, { until: number; skipped: number }>();

  const write = (level: "warn" | "error", facts: unknown, text?: string): void => {
    const line = blank(text ?? (typeof facts === "string" ? facts : "unnamed"));
    const now = Date.now();
    const last = seen.get(line);
    if (last !== undefined && now < last.until) {
      last.skipped++;
      return;
    }
    if (seen.size >= MAX_LINES) seen.clear();
    seen.set(line, { until: now + REPEAT_MS, skipped: 0 });
    const skipped = last?.skipped ?? 0;
    const error = errorIn(facts);
    log[level](
      {
        sessionId,
        text: line,
        ...(error === null ? {} : { error: blank(error) }),
        ...(skipped === 0 ? {} : { skipped }),
      },
      "whatsapp.library",
    );
  };

  const silent = (): void => undefined;
  const logger: BaileysLogger = {
    level: "warn",
    child: () => logger,
    trace: silent,
    debug: silent,
    info: silent,
    warn: (facts, text) => write("warn", facts, text),
    error: (facts, text) => write("error", facts, text),
  };
  return logger;
}

/** Baileys puts errors under several names; only the first line of the message is of use. */
function errorIn(facts: unknown): string | null {
  if (facts instanceof Error) return facts.message;
  if (typeof facts !== "object" || facts === null) return null;
  for (const name of ["err", "error", "e", "trace", "ackErr", "uploadError"] as const) {
    if (!(name in facts)) continue;
    const value: unknown = Reflect.get(facts, name);
    if (value instanceof Error) return value.message;
    if (typeof value === "string") return value.split("\n")[0] ?? null;
  }
  return null;
}
