/** A logger that keeps its lines, so that tests can read what an operator would, and look for what must not be there. */
import type { Log } from "../../bridge/log.ts";

export interface LogLine {
  level: "debug" | "info" | "warn" | "error";
  event: string;
  facts: Record<string, unknown>;
}

export interface LogBook extends Log {
  lines(event?: string): LogLine[];
  /** Everything written, as text. */
  text(): string;
}

export function logBook(): LogBook {
  const lines: LogLine[] = [];
  const write =
    (level: LogLine["level"]) =>
    (facts: object, event: string): void => {
      lines.push({ level, event, facts: { ...facts } });
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    lines: (event) => (event === undefined ? [...lines] : lines.filter((line) => line.event === event)),
    text: () => JSON.stringify(lines),
  };
}
