/** Values of the hub as people read them in a terminal. */
import { textTable } from "../text-table.ts";
import type { Json } from "./hub-calls.ts";

const MAX_CELL = 100;

/** One line, whatever it is; nothing in it may move the cursor or colour the screen. */
export function cell(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const plain = text.replace(/[\p{Cc}\p{Cf}]/gu, " ");
  return plain.length > MAX_CELL ? `${plain.slice(0, MAX_CELL - 1)}…` : plain;
}

/** `2026-01-31T10:00:00.000Z` → `2026-01-31 10:00` */
export const moment = (value: unknown): string =>
  typeof value === "string" ? value.slice(0, 16).replace("T", " ") : "-";

/** Columns by the name of a member, or by a function that makes the cell. */
export function table(rows: Json[], columns: Record<string, string | ((row: Json) => string)>): string {
  const names = Object.keys(columns);
  return textTable(
    names,
    rows.map((row) =>
      Object.values(columns).map((column) => (typeof column === "string" ? cell(row[column]) : column(row))),
    ),
  );
}

/** `90_000` → `1 min`; the largest unit that fits, as people say it. */
export function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

export function bytes(count: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let rest = count;
  let unit = 0;
  for (; rest >= 1024 && unit < units.length - 1; unit++) rest /= 1024;
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit] ?? ""}`;
}

export const lines = (...parts: (string | null)[]): string =>
  parts.filter((part) => part !== null).join("\n");
